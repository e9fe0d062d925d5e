"""Names of columns as programs write them lead to the coordinates, and never to something else."""

import pytest

from pointad.scans.named_columns import find_columns, stated_unit

FOUND = [
    "ID,X Position,Y Position,Z Position",
    "ID,X-Coordinate (mm),Y-Coordinate (mm),Z-Coordinate (mm)",
    "ID,location.x,location.y,location.z",
    "ID,X-Axis,Y-Axis,Z-Axis",
    "ID,PosX,PosY,PosZ",
    "ID,position_x_mm,position_y_mm,position_z_mm",
    "ID,xyz_0,xyz_1,xyz_2",
    "ID,Location_1,Location_2,Location_3",
    "ID,Points_m_XYZ:0,Points_m_XYZ:1,Points_m_XYZ:2",
    "ID,x_px,y_px,z_px",
]


@pytest.mark.parametrize("header", FOUND)
def test_words_beside_x_y_z(header: str) -> None:
    assert find_columns(header.split(",")).xyz == (1, 2, 3)


def test_just_x_y_z_come_first() -> None:
    assert find_columns(["pos_x", "pos_y", "pos_z", "xm", "x", "ym", "y", "zm", "z"]).xyz == (4, 6, 8)
    assert find_columns(["pos_0", "pos_1", "pos_2", "pos_3"]).xyz == (0, 1, 2)


@pytest.mark.parametrize("header", ["normal_x,normal_y,normal_z", "vertex normal x,y,z", "dx,dy,dz", "pos,xyz,axis"])
def test_what_is_no_coordinate(header: str) -> None:
    assert find_columns(header.split(",")).xyz is None


@pytest.mark.parametrize("filling", [" ", "(", "_", "x ", "in "])
def test_names_of_any_length(filling: str) -> None:
    """Each takes hours where a pattern tries all parts of a name for its unit."""
    names = ["x", "y", "z", f"x{filling * 100_000}a", f"{filling * 100_000} in"]
    assert find_columns(names).xyz == (0, 1, 2) and [stated_unit(name) for name in names[3:]] == [None, None]
