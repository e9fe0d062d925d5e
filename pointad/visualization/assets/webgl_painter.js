// Draws clouds with WebGL 2. One context serves all clouds of a page, because browsers allow only a few.

const VERTEX_SHADER = `#version 300 es
in vec3 position;                 // 0..1 in the cube around the cloud
in float score;                   // 0..1
in vec3 color;
uniform mat3 rotation;
uniform vec3 camera;              // pan right, pan up, distance
uniform vec2 focal;
uniform vec2 depthRange;          // near, far
uniform float pointPixels;        // size of a point at distance 1
uniform float threshold;
uniform bool byScore;
uniform vec3 plain;
uniform sampler2D scale;
out vec3 tint;
void main() {
  vec3 turned = rotation * (position * 2.0 - 1.0) + vec3(camera.xy, 0.0);
  float depth = camera.z - turned.z;
  float near = depthRange.x, far = depthRange.y;
  gl_Position = vec4(focal * turned.xy, (depth * (far + near) - 2.0 * far * near) / (far - near), depth);
  gl_PointSize = clamp(pointPixels / depth, 1.5, 24.0);
  tint = color;
  if (byScore) tint = score < threshold ? plain : texture(scale, vec2((score * 255.0 + 0.5) / 256.0, 0.5)).rgb;
}`;

const POINT_SHADER = `#version 300 es
precision highp float;
in vec3 tint;
out vec4 result;
void main() {
  vec2 offset = gl_PointCoord * 2.0 - 1.0;
  if (dot(offset, offset) > 1.3) discard;
  result = vec4(tint, 1.0);
}`;

const FULL_SCREEN_SHADER = `#version 300 es
void main() {
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;

// Eye-dome lighting: a pixel is darkened by how far it lies behind its four neighbours.
const SHADING_SHADER = `#version 300 es
precision highp float;
uniform sampler2D colors;
uniform sampler2D depths;
uniform vec2 depthRange;
uniform float strength;
uniform int reach;                // pixels to the neighbours
out vec4 result;
float depthAt(ivec2 pixel) {
  float stored = texelFetch(depths, clamp(pixel, ivec2(0), textureSize(depths, 0) - 1), 0).r;
  return depthRange.x * depthRange.y / (depthRange.y - stored * (depthRange.y - depthRange.x));
}
void main() {
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  vec4 color = texelFetch(colors, pixel, 0);
  if (color.a == 0.0) { result = vec4(0.0); return; }
  float here = log2(depthAt(pixel));
  float drop = 0.0;
  for (int side = -1; side <= 1; side += 2) {
    drop += max(0.0, here - log2(depthAt(pixel + ivec2(side * reach, 0))));
    drop += max(0.0, here - log2(depthAt(pixel + ivec2(0, side * reach))));
  }
  result = vec4(color.rgb * exp(-drop * strength), 1.0);
}`;

class WebglPainter {
  constructor() {
    this.name = "webgl";
    this.canvas = document.createElement("canvas");
    const gl = this.canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false });
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    this.points = linkProgram(gl, VERTEX_SHADER, POINT_SHADER);
    this.shading = linkProgram(gl, FULL_SCREEN_SHADER, SHADING_SHADER);
    this.empty = gl.createVertexArray();
    this.target = gl.createFramebuffer();
    this.colors = nearestTexture(gl);
    this.depths = nearestTexture(gl);
  }

  // Copies a cloud to the graphics card.
  prepare(cloud) {
    const gl = this.gl;
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    this.attribute("position", cloud.positions, 3, gl.UNSIGNED_SHORT, [0, 0, 0]);
    this.attribute("score", cloud.scores, 1, gl.UNSIGNED_BYTE, [0, 0, 0]);
    this.attribute("color", cloud.colors, 3, gl.UNSIGNED_BYTE, PLAIN_COLOR.map((part) => part / 255));
    gl.bindVertexArray(null);
    const scale = nearestTexture(gl);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, 256, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, cloud.scale);
    return { array, scale, count: cloud.count, pointSize: cloud.pointSize };
  }

  attribute(name, values, parts, type, constant) {
    const gl = this.gl;
    const location = gl.getAttribLocation(this.points, name);
    if (!values) {
      gl.vertexAttrib3fv(location, constant);
      return;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, parts, type, true, 0, 0);
  }

  paint(context, prepared, view) {
    const gl = this.gl;
    const { width, height } = view;
    this.resize(width, height);
    gl.viewport(0, 0, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.useProgram(this.points);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, prepared.scale);
    const at = (name) => gl.getUniformLocation(this.points, name);
    gl.uniformMatrix3fv(at("rotation"), true, view.rotation);
    gl.uniform3f(at("camera"), view.panX, view.panY, view.distance);
    gl.uniform2f(at("focal"), (view.focal * height) / width, view.focal);
    gl.uniform2f(at("depthRange"), view.near, view.far);
    gl.uniform1f(at("pointPixels"), (prepared.pointSize * view.focal * height) / 2);
    gl.uniform1f(at("threshold"), view.threshold / 255);
    gl.uniform1i(at("byScore"), view.byScore ? 1 : 0);
    gl.uniform3fv(at("plain"), PLAIN_COLOR.map((part) => part / 255));
    gl.uniform1i(at("scale"), 0);
    gl.bindVertexArray(prepared.array);
    gl.drawArrays(gl.POINTS, 0, prepared.count);

    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.disable(gl.DEPTH_TEST);
    gl.useProgram(this.shading);
    gl.bindTexture(gl.TEXTURE_2D, this.colors);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.depths);
    gl.uniform1i(gl.getUniformLocation(this.shading, "colors"), 0);
    gl.uniform1i(gl.getUniformLocation(this.shading, "depths"), 1);
    gl.uniform2f(gl.getUniformLocation(this.shading, "depthRange"), view.near, view.far);
    gl.uniform1f(gl.getUniformLocation(this.shading, "strength"), EDGE_STRENGTH);
    gl.uniform1i(gl.getUniformLocation(this.shading, "reach"), view.reach);
    gl.bindVertexArray(this.empty);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.activeTexture(gl.TEXTURE0);
    context.clearRect(0, 0, width, height);
    context.drawImage(this.canvas, 0, 0);
  }

  resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height && this.sized) return;
    const gl = this.gl;
    this.canvas.width = width;
    this.canvas.height = height;
    gl.bindTexture(gl.TEXTURE_2D, this.colors);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.bindTexture(gl.TEXTURE_2D, this.depths);
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.DEPTH_COMPONENT24, width, height, 0, gl.DEPTH_COMPONENT, gl.UNSIGNED_INT, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.colors, 0);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.TEXTURE_2D, this.depths, 0);
    this.sized = true;
  }
}

function nearestTexture(gl) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  return texture;
}

function linkProgram(gl, vertexSource, fragmentSource) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
