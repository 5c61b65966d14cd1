"use strict";
// Points as WebGL sprites about an orbiting camera; a software renderer where there is no WebGL.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const wanted = new URLSearchParams(location.hash.slice(1));
  let canvas = find("view");
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const count = data.count;
  const grid = new Uint16Array(bytes(data.position).buffer); // 3 per point, 0 to 65535 in the box
  const look = bytes(data.look); // 6 bits of shading, 2 of size
  const marks = data.marks;
  const total = count + marks.length; // marks are drawn last and larger
  const box = data.size, half = box.map((s) => s / 2);
  const radius = Math.max(Math.hypot(...half), 1e-6);
  const markSize = radius / 28, ring = 0.34; // white from this share of the diameter on
  const background = [0x14, 0x17, 0x1a];

  // Positions from the middle of the box, the marks' behind those of the points.
  const position = new Float32Array(3 * total);
  for (let i = 0; i < 3 * count; i++) {
    position[i] = grid[i] / 65535 * box[i % 3] - half[i % 3];
  }
  marks.forEach((p, i) => position.set(p.map((v, a) => v - half[a]), 3 * (count + i)));

  // Four bytes per point: red, green, blue, and the step of its size.
  function colours(layer) {
    const raw = bytes(layer.data);
    const out = new Uint8Array(4 * total);
    const wide = layer.palette ? null : new Uint16Array(raw.buffer);
    for (let i = 0; i < count; i++) {
      let rgb;
      if (wide) {
        const v = wide[i]; // 5, 6 and 5 bits
        rgb = [(v >> 11) * 255 / 31, (v >> 5 & 63) * 255 / 63, (v & 31) * 255 / 31];
      } else {
        rgb = layer.palette[raw[i]];
      }
      const bright = layer.shaded ? (look[i] >> 2) / 63 : 1;
      for (let a = 0; a < 3; a++) out[4 * i + a] = Math.round(rgb[a] * bright);
      out[4 * i + 3] = look[i] & 3;
    }
    for (let i = count; i < total; i++) {
      const rgb = layer.marks ? layer.marks[i - count] : [0, 0, 0];
      out.set([...rgb, 0], 4 * i);
    }
    return out;
  }

  const middle = () => [0, 0, (data.cut - 1) * half[2]]; // of what is shown at first
  const first = { yaw: -2.2, pitch: 0.85, distance: radius / Math.sin(Math.PI / 8) * 1.05 };
  const camera = { ...first, target: middle() };
  // In a narrow window the width has to hold the cloud.
  const focal = () => Math.min(canvas.width / canvas.height, 1) / Math.tan(Math.PI / 8);
  let cut = data.cut; // share of the height that is shown
  let scale = 1; // of the points
  let current = null;

  function axes() {
    const [cy, sy] = [Math.cos(camera.yaw), Math.sin(camera.yaw)];
    const [cp, sp] = [Math.cos(camera.pitch), Math.sin(camera.pitch)];
    return { right: [-sy, cy, 0], up: [-sp * cy, -sp * sy, cp], back: [cp * cy, cp * sy, sp] };
  }

  function hardware() {
    if (wanted.get("renderer") === "canvas") return null;
    const gl = canvas.getContext("webgl", { preserveDrawingBuffer: true, antialias: false });
    if (!gl) return null;
    const program = gl.createProgram();
    const add = (kind, source) => {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    };
    add(gl.VERTEX_SHADER, `
      attribute vec3 position; attribute vec4 colour;
      uniform vec3 target, right, up, back; uniform float distance, focal, aspect, near, far;
      uniform float top, size, pixels, smallest;
      varying vec4 tint; varying float wide;
      void main() {
        vec3 p = position - target;
        float depth = distance - dot(p, back);
        bool hidden = position.z > top || depth < near;
        float z = (far + near - 2.0 * far * near / depth) / (far - near);
        gl_Position = hidden ? vec4(2.0, 2.0, 2.0, 1.0)
          : vec4(dot(p, right) * focal / aspect / depth, dot(p, up) * focal / depth, z, 1.0);
        wide = clamp(size * pow(1.5, floor(colour.a * 255.0 + 0.5)) * focal * pixels / depth, smallest, 60.0);
        gl_PointSize = wide;
        tint = colour;
      }`);
    add(gl.FRAGMENT_SHADER, `
      precision mediump float; varying vec4 tint; varying float wide; uniform float ring;
      void main() {
        float r = length(gl_PointCoord - 0.5);
        if (wide > 4.0 && r > 0.5) discard;
        gl_FragColor = vec4(r > ring ? vec3(1.0) : tint.rgb, 1.0);
      }`);
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const fresh = canvas.cloneNode(); // a canvas with a WebGL context gives no other
      canvas.replaceWith(fresh);
      canvas = fresh;
      return null;
    }
    gl.useProgram(program);
    const fill = (name, values, width, kind, normal) => {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, width, kind, normal, 0, 0);
    };
    fill("position", position, 3, gl.FLOAT, false);
    fill("colour", new Uint8Array(4 * total), 4, gl.UNSIGNED_BYTE, true); // bound from here on
    const uniform = (name) => gl.getUniformLocation(program, name);
    const number = (name, value) => gl.uniform1f(uniform(name), value);
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(...background.map((v) => v / 255), 1);
    return {
      name: "webgl",
      colour: (values) => gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW),
      draw() {
        gl.viewport(0, 0, canvas.width, canvas.height);
        gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
        for (const [name, value] of Object.entries(axes())) gl.uniform3fv(uniform(name), value);
        gl.uniform3fv(uniform("target"), camera.target);
        number("distance", camera.distance);
        number("focal", focal());
        number("aspect", canvas.width / canvas.height);
        number("near", radius / 1000);
        number("far", camera.distance + 4 * radius);
        number("top", cut * box[2] - half[2]);
        number("pixels", canvas.height / 2);
        number("size", data.spacing * scale);
        number("smallest", 1.5);
        number("ring", 1);
        gl.drawArrays(gl.POINTS, 0, count);
        if (layers[current].marks) { // seen through everything
          number("size", markSize);
          number("smallest", 12);
          number("ring", ring);
          gl.disable(gl.DEPTH_TEST);
          gl.drawArrays(gl.POINTS, count, marks.length);
          gl.enable(gl.DEPTH_TEST);
        }
      },
      read() {
        const out = new Uint8Array(4 * canvas.width * canvas.height);
        gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, out);
        return out;
      },
    };
  }

  function software() {
    const context = canvas.getContext("2d");
    const growth = [1, 1.5, 2.25, 3.375];
    let values = null, image = null, depths = null;
    function splat(from, to, size, smallest, edge) {
      const [width, height] = [canvas.width, canvas.height];
      const { right, up, back } = axes();
      const [tx, ty, tz] = camera.target;
      const top = cut * box[2] - half[2], unit = focal() * height / 2, pixel = image.data;
      for (let i = from; i < to; i++) {
        if (position[3 * i + 2] > top) continue;
        const x = position[3 * i] - tx, y = position[3 * i + 1] - ty, z = position[3 * i + 2] - tz;
        const depth = camera.distance - (x * back[0] + y * back[1] + z * back[2]);
        if (depth < radius / 1000) continue;
        const u = width / 2 + unit * (x * right[0] + y * right[1] + z * right[2]) / depth;
        const v = height / 2 - unit * (x * up[0] + y * up[1] + z * up[2]) / depth;
        const wide = Math.min(Math.max(size * growth[values[4 * i + 3]] * unit / depth, smallest), 24);
        const inner = (edge * wide) ** 2;
        const round = wide > 4 ? wide * wide / 4 : Infinity;
        const [u0, u1] = [Math.max(Math.round(u - wide / 2), 0), Math.min(Math.round(u + wide / 2), width)];
        const [v0, v1] = [Math.max(Math.round(v - wide / 2), 0), Math.min(Math.round(v + wide / 2), height)];
        for (let b = v0; b < v1; b++) {
          for (let a = u0; a < u1; a++) {
            const at = b * width + a;
            const away = (a + .5 - u) ** 2 + (b + .5 - v) ** 2;
            if (depth >= depths[at] || away > round) continue;
            depths[at] = depth;
            for (let c = 0; c < 3; c++) pixel[4 * at + c] = away > inner ? 255 : values[4 * i + c];
          }
        }
      }
    }
    return {
      name: "canvas",
      colour: (next) => { values = next; },
      draw() {
        const [width, height] = [canvas.width, canvas.height];
        if (!image || image.width !== width || image.height !== height) {
          image = context.createImageData(width, height);
          depths = new Float32Array(width * height);
        }
        new Uint32Array(image.data.buffer).fill(
          0xff000000 | background[2] << 16 | background[1] << 8 | background[0]);
        depths.fill(Infinity);
        splat(0, count, data.spacing * scale, 1.5, Infinity);
        if (layers[current].marks) { // seen through everything
          depths.fill(Infinity);
          splat(count, total, markSize, 12, ring);
        }
        context.putImageData(image, 0, 0);
      },
      read: () => context.getImageData(0, 0, canvas.width, canvas.height).data,
    };
  }

  const layers = Object.fromEntries(data.layers.map((layer) => [layer.key, layer]));
  const renderer = hardware() || software();
  let asked = false;
  function draw() {
    const ratio = renderer.name === "webgl" ? Math.min(window.devicePixelRatio || 1, 2) : 1;
    const width = Math.max(Math.round(canvas.clientWidth * ratio), 1);
    const height = Math.max(Math.round(canvas.clientHeight * ratio), 1);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    renderer.draw();
  }
  function refresh() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }

  function describe(layer) {
    const legend = find("legend");
    legend.replaceChildren();
    const note = document.createElement("p");
    note.textContent = layer.note;
    const list = document.createElement("ul");
    for (const [rgb, words] of layer.legend) {
      const item = document.createElement("li"), dot = document.createElement("i");
      dot.style.background = `rgb(${rgb.join(",")})`;
      item.append(dot, words);
      list.append(item);
    }
    legend.append(note);
    if (layer.legend.length) legend.append(list);
  }

  function select(key) {
    if (!(key in layers)) return;
    current = key;
    renderer.colour(colours(layers[key]));
    for (const button of find("layers").children) {
      button.setAttribute("aria-pressed", String(button.dataset.layer === key));
    }
    describe(layers[key]);
    refresh();
  }

  function setCut(share) {
    cut = share;
    find("cut").value = String(Math.round(1000 * share));
    find("cut-value").textContent = share >= 1 ? "off" : `${(share * box[2]).toFixed(2)} m`;
    refresh();
  }

  function turn(dx, dy) {
    camera.yaw -= dx * 0.006;
    camera.pitch = Math.min(Math.max(camera.pitch + dy * 0.006, -1.55), 1.55);
  }
  function move(dx, dy) {
    const { right, up } = axes(), step = 2 * camera.distance / focal() / canvas.clientHeight;
    for (let a = 0; a < 3; a++) camera.target[a] += (up[a] * dy - right[a] * dx) * step;
  }
  function zoom(factor) {
    camera.distance = Math.min(Math.max(camera.distance * factor, radius / 200), radius * 20);
  }

  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    if (pointers.size === 2) { // two fingers: move and pinch
      const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
      const away = (p) => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY) || 1;
      zoom(away(before) / away(event));
      move(dx / 2, dy / 2);
    } else if (event.shiftKey || event.buttons & 2) {
      move(dx, dy);
    } else {
      turn(dx, dy);
    }
    pointers.set(event.pointerId, event);
    refresh();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(Math.sign(event.deltaY) * 0.12));
    refresh();
  }, { passive: false });
  document.addEventListener("keydown", (event) => {
    const layer = data.layers[Number(event.key) - 1];
    if (layer && !event.ctrlKey && !event.metaKey && !event.altKey) select(layer.key);
  });
  find("cut").addEventListener("input", (event) => setCut(event.target.value / 1000));
  find("size").addEventListener("input", (event) => {
    scale = event.target.value / 100;
    refresh();
  });
  find("reset").addEventListener("click", () => {
    Object.assign(camera, first, { target: middle() });
    scale = 1;
    find("size").value = "100";
    setCut(data.cut);
  });
  new ResizeObserver(refresh).observe(canvas);

  for (const layer of data.layers) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.layer = layer.key;
    button.textContent = layer.title;
    button.addEventListener("click", () => select(layer.key));
    find("layers").append(button);
  }
  const share = Number(wanted.get("cut") ?? data.cut);
  setCut(share >= 0 && share <= 1 ? share : data.cut);
  select(wanted.get("layer") in layers ? wanted.get("layer") : data.layers[0].key);
  draw(); // at once: a printed or hidden page may never be given an animation frame

  // For scripts, such as tests: what is shown, and the pixels of it.
  window.viewer = {
    keys: Object.keys(layers), renderer: renderer.name, select, camera,
    current: () => current,
    pixels() { draw(); return renderer.read(); },
  };
})();
