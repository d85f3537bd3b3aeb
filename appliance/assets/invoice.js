// Asks for a receipt, and shows it when it is there.
"use strict";
(() => {
  const page = document.querySelector("main");
  const form = document.getElementById("ask");
  const note = document.getElementById("note");
  if (!form) return;
  const say = (text, look = "") => { note.textContent = text; note.className = "note centre " + look; };
  const firm = form.querySelector(".for-firm");
  form.addEventListener("change", () => {
    const isFirm = form.kind.value === "firm";
    firm.hidden = !isFirm;
    form.uscc.required = isFirm;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    say(page.dataset.busy);
    const isFirm = form.kind.value === "firm";
    const buyer = { kind: form.kind.value, title: form.title.value, ...(isFirm ? { uscc: form.uscc.value } : {}) };
    try {
      const answer = await fetch(`/api/v1/pay/bills/${page.dataset.bill}/invoices`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ buyer }),
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail);
      if (body.document) location.reload();
      else say(page.dataset.waits);
    } catch {
      say(page.dataset.failed, "bad");
      button.disabled = false;
    }
  });
})();
