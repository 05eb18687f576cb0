"use strict";
// Show the title of a mark at once, and on touch. Without this script, browsers show it after a delay.
const tip = document.getElementById("tip");
for (const title of document.querySelectorAll("figure svg title")) {
  title.parentNode.dataset.tooltip = title.textContent;
  title.remove();
}
function show(event) {
  const mark = event.target.closest ? event.target.closest("[data-tooltip]") : null;
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.tooltip;
  const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
  const above = event.clientY - tip.offsetHeight - 12;
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = (above < 8 ? event.clientY + 16 : above) + "px";
}
document.addEventListener("pointermove", show);
document.addEventListener("pointerdown", show);

// Mark the tables that are wider than the screen, also when a closed section is opened.
const sizes = new ResizeObserver((entries) => requestAnimationFrame(() => {
  for (const { target } of entries) {
    target.classList.toggle("overflows", target.scrollWidth > target.clientWidth + 1);
  }
}));
for (const table of document.querySelectorAll(".scroll")) sizes.observe(table);
