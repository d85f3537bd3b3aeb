// The sandbox's one button.
"use strict";
(() => {
  const page = document.querySelector("main");
  const button = document.getElementById("pay");
  const note = document.getElementById("note");
  button?.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await fetch(`/sandbox/orders/${page.dataset.order}/pay`, { method: "POST" });
      note.textContent = answer.ok ? page.dataset.done : page.dataset.failed;
      if (page.dataset.back) location.replace(page.dataset.back);
      else if (answer.ok) button.remove();
    } catch {
      button.disabled = false;
      note.textContent = page.dataset.failed;
    }
  });
})();
