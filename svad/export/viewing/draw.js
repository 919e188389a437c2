// Draws the posed cloud with WebGL2, far to near, premultiplied alpha.

import { WIDTH } from "./cloud.js";
import { FRAGMENT, GROUND_FRAGMENT, GROUND_VERTEX, VERTEX } from "./shaders.js";

const FILL = 1.5; // larger than their share, as the ones that are left do not lie evenly
const VIEW = ["turn", "shift", "focal", "size"];
const SPLATS = [...VIEW, "splats", "faces", "order", "low", "span", "logSizes", "rigid", "move", "growth", "largest"];

export class Drawing {
  /** Throws when the browser has no WebGL2. */
  constructor(canvas, cloud, rigid) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, premultipliedAlpha: true });
    if (!gl) throw new Error("no WebGL2");
    this.gl = gl;
    this.count = 0; // in the present order
    this.stride = Infinity;
    this.withGround = true;
    this.ground = new Float32Array(4); // centre and radius of the shadow, metres
    this.pixel = new Uint8Array(4);
    this.floor = new Program(gl, GROUND_VERTEX, GROUND_FRAGMENT, [...VIEW, "ground"]);
    this.splats = new Program(gl, VERTEX, FRAGMENT, SPLATS);
    this.rows = Math.max(1, Math.ceil(cloud.count / WIDTH));
    this.textures(cloud);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.constants(cloud, rigid);
  }

  /** The cloud, the directions of its expressions, and room for the order. */
  textures(cloud) {
    const gl = this.gl;
    texture(gl, gl.TEXTURE0);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32UI, WIDTH, cloud.height, 0, gl.RGBA_INTEGER, gl.UNSIGNED_INT, cloud.words);
    texture(gl, gl.TEXTURE1);
    const width = Math.min(WIDTH, cloud.faces.length / 4), height = cloud.faces.length / 4 / width;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8I, width, height, 0, gl.RGBA_INTEGER, gl.BYTE, cloud.faces);
    texture(gl, gl.TEXTURE2); // the last one: later uploads go to it
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R32UI, WIDTH, this.rows);
  }

  /** What stays the same for all pictures. */
  constants(cloud, rigid) {
    const gl = this.gl, { program, at } = this.splats;
    gl.useProgram(program);
    gl.uniform1i(at.splats, 0);
    gl.uniform1i(at.faces, 1);
    gl.uniform1i(at.order, 2);
    gl.uniform3fv(at.low, cloud.low);
    gl.uniform3fv(at.span, cloud.span);
    gl.uniform2fv(at.logSizes, cloud.logSizes);
    gl.uniform1f(at.rigid, rigid);
    gl.uniform1f(at.largest, gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE)[1]);
    const block = gl.getUniformBlockIndex(program, "Pose");
    gl.uniformBlockBinding(program, block, 0);
    this.block = gl.createBuffer();
    gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, this.block);
    gl.bufferData(gl.UNIFORM_BUFFER, gl.getActiveUniformBlockParameter(program, block, gl.UNIFORM_BLOCK_DATA_SIZE), gl.DYNAMIC_DRAW);
  }

  /** Sets the order of drawing: the first `count` of it, of all (stride 1) or one of `stride`. */
  arrange(order, count, stride) {
    const gl = this.gl, rows = Math.ceil(count / WIDTH);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, WIDTH, rows, gl.RED_INTEGER, gl.UNSIGNED_INT, order);
    this.count = count;
    this.stride = stride;
  }

  /** Sets the pose: the skeleton's table and the shift of the body. */
  pose(table, shift) {
    const gl = this.gl;
    gl.bufferSubData(gl.UNIFORM_BUFFER, 0, table);
    gl.useProgram(this.splats.program);
    gl.uniform3f(this.splats.at.move, shift[0], shift[1], shift[2]);
  }

  /** One picture, seen by a camera. */
  draw(camera) {
    const gl = this.gl;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.withGround) {
      this.see(this.floor, camera);
      gl.uniform4fv(this.floor.at.ground, this.ground);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
    this.see(this.splats, camera);
    gl.uniform1f(this.splats.at.growth, this.stride > 1 ? FILL * this.stride : 1);
    gl.drawArrays(gl.POINTS, 0, this.count);
  }

  /** Makes a program the present one, with the camera's place. */
  see({ program, at }, camera) {
    const gl = this.gl;
    gl.useProgram(program);
    gl.uniformMatrix3fv(at.turn, false, camera.turn);
    gl.uniform3fv(at.shift, camera.shift);
    gl.uniform2f(at.focal, camera.focal, camera.focal);
    gl.uniform2f(at.size, gl.drawingBufferWidth, gl.drawingBufferHeight);
  }

  /** Waits until everything is drawn. */
  finish() {
    this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, this.pixel);
  }

  /** Milliseconds of one picture, measured to its end. */
  time(camera) {
    this.finish();
    const begin = performance.now();
    this.draw(camera);
    this.finish();
    return performance.now() - begin;
  }

  /** Gives the graphics memory back. */
  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** A linked program and the places of its uniforms, looked up once. */
class Program {
  constructor(gl, vertex, fragment, names) {
    this.program = linked(gl, vertex, fragment);
    /** @type {Record<string, WebGLUniformLocation>} */
    this.at = {};
    for (const name of names) this.at[name] = gl.getUniformLocation(this.program, name);
  }
}

/** A new texture in the given place. */
function texture(gl, place) {
  gl.activeTexture(place);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
}

function linked(gl, vertex, fragment) {
  const one = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(one, shader);
  }
  gl.linkProgram(one);
  if (!gl.getProgramParameter(one, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(one) || "shader");
  return one;
}
