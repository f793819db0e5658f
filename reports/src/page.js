// Copies the replay line, sorts tables by a column, and shows the values under the pointer.
(function () {
  "use strict";
  document.querySelectorAll("button[data-copy]").forEach(function (button) {
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(button.dataset.copy).then(function () {
        button.textContent = "Copied";
      });
    });
  });

  function cell(row, column) {
    var text = row.cells[column].dataset.value || row.cells[column].textContent.trim();
    var number = Number(text);
    return text !== "" && !isNaN(number) ? number : text;
  }
  document.querySelectorAll("table.sortable th").forEach(function (head) {
    head.addEventListener("click", function () {
      var table = head.closest("table");
      var index = Array.prototype.indexOf.call(head.parentNode.children, head);
      var down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      var rows = Array.prototype.slice.call(table.tBodies[0].rows);
      rows.sort(function (a, b) {
        var x = cell(a, index), y = cell(b, index);
        var order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
        return down ? -order : order;
      });
      rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
    });
  });

  var tip = document.getElementById("value");
  var pictures = Array.prototype.map.call(document.querySelectorAll("figure[data-panels]"), function (figure) {
    var svg = figure.querySelector("svg");
    var line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("stroke", "#798591");
    line.setAttribute("stroke-width", "8");
    line.setAttribute("stroke-dasharray", "32 24");
    line.setAttribute("fill", "none");
    svg.appendChild(line);
    return { svg: svg, line: line, panels: JSON.parse(figure.dataset.panels) };
  });
  function value(axis, share) {
    return axis.log ? axis.from * Math.pow(axis.to / axis.from, share) : axis.from + (axis.to - axis.from) * share;
  }
  function clear() {
    tip.style.display = "none";
    pictures.forEach(function (picture) { picture.line.setAttribute("d", ""); });
  }
  function mark(picture, share) {
    var path = picture.panels.map(function (panel) {
      var x = 8 * (panel.left + panel.width * share);
      return "M" + x + " " + 8 * panel.top + "v" + 8 * panel.height;
    });
    picture.line.setAttribute("d", path.join(""));
  }
  pictures.forEach(function (picture) {
    picture.svg.addEventListener("pointerleave", clear);
    picture.svg.addEventListener("pointermove", function (event) {
      var box = picture.svg.getBoundingClientRect();
      var scale = picture.svg.viewBox.baseVal.width / 8 / box.width;
      var x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
      var panel = picture.panels.find(function (panel) {
        return x >= panel.left && x <= panel.left + panel.width && y >= panel.top && y <= panel.top + panel.height;
      });
      clear();
      if (!panel) { return; }
      var share = (x - panel.left) / panel.width;
      pictures.forEach(function (other) {
        if (other === picture || (panel.time && other.panels[0].time)) { mark(other, share); }
      });
      var depth = (y - panel.top) / panel.height;
      var second = panel.lanes ? panel.lanes[Math.min(Math.floor(depth * panel.lanes.length), panel.lanes.length - 1)] :
        panel.y.label + ": " + value(panel.y, 1 - depth).toPrecision(4);
      tip.textContent = panel.x.label + ": " + value(panel.x, share).toPrecision(4) + " · " + second;
      tip.style.display = "block";
      tip.style.left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8) + "px";
      tip.style.top = event.clientY + 16 + "px";
    });
  });
})();
