"""What a few good scans of one kind of object say about the next one."""
