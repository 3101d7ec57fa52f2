document.documentElement.classList.add("with-script");
for (const compare of document.querySelectorAll(".compare:has(.wipe)")) {
  const range = compare.querySelector(".wipe");
  const divide = () => {
    compare.style.setProperty("--at", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} percent before, ${100 - range.value} percent after`);
  };
  range.addEventListener("input", divide);
  divide();
  // Pixels lie over one another also where the images have different sizes.
  const images = [...compare.querySelectorAll("img")], widths = images.map(image => image.getAttribute("width"));
  images.forEach((image, at) => image.style.setProperty("--part", widths[at] / Math.max(...widths)));
}
const images = [...document.querySelectorAll(".image")];
addEventListener("keydown", event => {
  const key = event.key, types = event.target.matches("input:not([type=range], [type=radio], [type=checkbox])");
  if (event.ctrlKey || event.metaKey || event.altKey || types || !document.getElementById("keys")?.checked) return;
  const focused = images.indexOf(document.activeElement.closest(".image"));
  const at = focused < 0 ? images.findLastIndex(image => image.getBoundingClientRect().top < 40) : focused;
  if (key === "j" || key === "k") {
    const next = images[Math.min(Math.max(at + (key === "j" ? 1 : -1), 0), images.length - 1)];
    next.focus({ preventScroll: true });
    next.scrollIntoView();
  } else if (key === "s") {
    images[Math.max(at, 0)].querySelector(".views input:not(:checked)")?.click();
  }
});
