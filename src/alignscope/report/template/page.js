"use strict";
// Titles of marks become a tip that shows at once, and by touch; without this they stay titles.
const tip = document.getElementById("tip");
for (const title of document.querySelectorAll("figure svg title")) {
  title.parentNode.dataset.says = title.textContent;
  title.remove();
}
function show(event) {
  const mark = event.target.closest ? event.target.closest("[data-says]") : null;
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.says;
  const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
  const above = event.clientY - tip.offsetHeight - 12;
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = (above < 8 ? event.clientY + 16 : above) + "px";
}
document.addEventListener("pointermove", show);
document.addEventListener("pointerdown", show);
