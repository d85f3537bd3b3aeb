// One bill, one button. The page stays with its bill: the address carries the bill's id from the first moment, and
// what is asked later is asked about that bill.
"use strict";
(() => {
  const page = document.querySelector("main");
  const say = page.dataset;
  const at = (id) => document.getElementById(id);
  const here = new URL(location.href);
  const bill = say.bill;
  const symbols = { CNY: "¥", JPY: "¥", HKD: "HK$", EUR: "€", GBP: "£", USD: "$" };
  const price = (amount, currency) => (symbols[currency] || currency + " ") + amount;
  const put = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const note = (text, look = "") => { put(at("note"), text); at("note").className = "note centre " + look; };

  const other = new URL(here);
  other.searchParams.set("lang", say.language === "zh" ? "en" : "zh");
  if (bill) other.searchParams.set("bill", bill);
  at("switch").href = other.pathname + other.search;

  if (!bill) return; // nobody waits, or nothing was ever due: the page offers to look again

  if (here.searchParams.get("bill") !== bill) {
    here.searchParams.set("bill", bill);
    history.replaceState(null, "", here);
  }

  const ask = async (path, options) => {
    const answer = await fetch(path, { cache: "no-store", ...options });
    const body = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(body.detail), { kind: String(body.type).split(":").pop() });
    return body;
  };

  let shown;
  const draw = (view) => {
    page.dataset.state = view.state === "nothing_due" ? "nothing" : view.state;
    page.dataset.place = view.exited_at ? "exit" : "inside";
    put(at("amount"), price(view.amount, view.currency));
    put(at("by"), view.leave_by ? view.leave_by.slice(11, 16) : "");
    at("paid-row").hidden = !Number(view.paid);
    put(at("paid"), price(view.paid, view.currency));
    const lines = JSON.stringify(view.lines);
    if (lines !== shown) {
      shown = lines;
      at("lines").replaceChildren(...view.lines.map((line) => {
        const row = document.createElement("tr");
        for (const text of [line.text, price(line.amount, view.currency)]) {
          const cell = document.createElement("td");
          cell.textContent = text;
          row.append(cell);
        }
        return row;
      }));
    }
    return view;
  };
  const look = async () => draw(await ask(`/api/v1/pay/bills/${bill}?lang=${say.language}`));

  // The key lives as long as the order may: a second tap, or a reload while the first is under way, is the same order.
  const kept = "order-" + bill;
  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
  const recall = () => { try { return JSON.parse(sessionStorage.getItem(kept)) || {}; } catch { return {}; } };
  const keep = (order) => { try { sessionStorage.setItem(kept, JSON.stringify(order)); } catch { /* a private window */ } };
  const forget = () => { try { sessionStorage.removeItem(kept); } catch { /* a private window */ } };

  const button = at("pay");
  const busy = (state) => { if (button) button.disabled = state === "busy"; };

  const follow = async (order) => {
    busy("busy");
    note(say.pending);
    for (;;) {
      try {
        const { state } = await ask("/api/v1/pay/orders/" + order);
        if (state === "paid" || state === "refunded") { forget(); note(""); await look(); return; }
        if (state !== "pending") { forget(); note(say.expired, "bad"); break; }
        note(say.pending);
      } catch (error) {
        if (error.kind === "unknown") { forget(); note(""); break; }
        note(say.offline, "bad");
      }
      await pause(1500);
    }
    busy("idle");
  };

  const pay = async () => {
    busy("busy");
    note(say.busy);
    try {
      // An order whose time is over is not made payable by asking for it again: then a new key.
      const before = recall().order;
      if (before && (await ask("/api/v1/pay/orders/" + before)).state !== "pending") forget();
      const key = recall().key || random();
      keep({ ...recall(), key });
      const order = await ask(`/api/v1/pay/bills/${bill}/orders`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify({ provider: say.provider }),
      });
      keep({ key, order: order.order_id });
      if (order.action.kind === "redirect") {
        const to = new URL(order.action.url, location.href);
        if (to.origin === location.origin && to.pathname.startsWith("/sandbox/")) {
          const back = new URL(here);
          back.searchParams.set("order", order.order_id);
          to.searchParams.set("back", back.pathname + back.search);
          to.searchParams.set("lang", say.language);
        }
        location.assign(to);
        return;
      }
      note(order.action.text || "");
      await follow(order.order_id);
    } catch (error) {
      if (error.kind) forget();
      note(error.kind === "too-many-orders" ? say.many : say.failed, "bad");
      busy("idle");
      if (error.kind === "nothing-due") look().then(() => note("")).catch(() => {});
    }
  };
  button?.addEventListener("click", pay);

  const returned = here.searchParams.get("order");
  if (returned) {
    // Coming back is no evidence: the box is asked. The order leaves the address, so that a reload asks afresh.
    here.searchParams.delete("order");
    history.replaceState(null, "", here);
  }
  if (page.dataset.state !== "due") forget();
  else if (returned) {
    ask("/api/v1/pay/orders/" + returned).then(({ state }) => {
      if (state !== "pending") return follow(returned);
      note(say.pending);
      return undefined;
    }).catch(() => {});
  }
  // Back by the browser's own button: the page comes from memory with its button still off.
  addEventListener("pageshow", (event) => { if (event.persisted) { busy("idle"); note(""); look().catch(() => {}); } });

  (async () => {
    for (;;) {
      await pause(page.dataset.state === "due" ? 2500 : 10000);
      if (document.hidden) continue;
      try {
        const before = page.dataset.state;
        const view = await look();
        if (view.state === "paid" && before === "due") { forget(); note(""); }
        else if (at("note").textContent === say.offline) note("");
      } catch (error) {
        if (error.kind !== "unknown") note(say.offline, "bad");
      }
    }
  })();
})();
