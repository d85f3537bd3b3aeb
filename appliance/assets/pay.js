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
    if (page.dataset.place !== "past") page.dataset.place = view.exited_at ? "exit" : "inside";
    // Earlier visits that are paid meanwhile leave the page.
    const owed = new Set((view.arrears || []).map((one) => one.bill_id));
    for (const row of document.querySelectorAll("[data-owed]")) row.hidden = !owed.has(row.dataset.owed);
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

  const buttons = [...document.querySelectorAll("button[data-provider]")];
  const busy = (state) => { for (const button of buttons) button.disabled = state === "busy"; };
  const picture = (address) => { at("code").hidden = !address; if (address) at("picture").src = address; };

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

  // WeChat's browser has a bridge to its wallet; it may come a moment after the page.
  const bridge = () => new Promise((done) => {
    if (window.WeixinJSBridge) done(window.WeixinJSBridge);
    else document.addEventListener("WeixinJSBridgeReady", () => done(window.WeixinJSBridge), { once: true });
  });

  // To WeChat and back: it says who pays, once, in a code. The state that comes back has to be the one that went out.
  const signIn = () => {
    const state = random();
    keep({ ...recall(), state });
    const back = new URL(here);
    back.searchParams.delete("code");
    back.searchParams.delete("state");
    location.assign("/pay/sign-in?" + new URLSearchParams({ back: back.pathname + back.search, state }));
  };

  const pay = async (provider, way, code) => {
    if (way === "jsapi" && !code && recall().way !== way) { busy("busy"); signIn(); return; }
    busy("busy");
    picture("");
    note(say.busy);
    try {
      // An order whose time is over is not made payable by asking for it again: then a new key.
      const before = recall().order;
      const over = before && (await ask("/api/v1/pay/orders/" + before)).state !== "pending";
      if (over) forget();
      // Another button is another order, which takes the place of the one before.
      const same = recall().provider === provider && recall().way === way;
      const insteadOf = same || !recall().order ? undefined : recall().order;
      if (way === "jsapi" && !code && !same) { signIn(); return; }
      const key = (same && recall().key) || random();
      keep({ key, provider, way, order: same ? recall().order : undefined });
      const order = await ask(`/api/v1/pay/bills/${bill}/orders`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify({ provider, way, code, instead_of: insteadOf }),
      });
      keep({ key, provider, way, order: order.order_id });
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
      if (order.action.kind === "jsapi") {
        (await bridge()).invoke("getBrandWCPayRequest", order.action.request, (said) => {
          // What the wallet says is no evidence: the box is asked, whatever it is.
          if (said.err_msg === "get_brand_wcpay_request:ok") { follow(order.order_id); return; }
          note(say.givenUp, "bad");
          busy("idle");
        });
        return;
      }
      picture(order.action.image);
      note(say.scan);
      busy("idle");
    } catch (error) {
      // While the provider is away the order stays, and is asked for again under its key.
      if (error.kind && error.kind !== "provider-away") forget();
      const words = { "too-many-orders": say.many, "provider-away": say.away };
      note(words[error.kind] || say.failed, "bad");
      busy("idle");
      if (error.kind === "nothing-due") look().then(() => note("")).catch(() => {});
    }
  };
  for (const button of buttons) button.addEventListener("click", () => pay(button.dataset.provider, button.dataset.way));

  const code = here.searchParams.get("code");
  if (code) {
    // Back from WeChat's sign-in. A code is good once, so it leaves the address.
    const ours = here.searchParams.get("state") === recall().state;
    for (const name of ["code", "state"]) here.searchParams.delete(name);
    history.replaceState(null, "", here);
    const jsapi = buttons.find((button) => button.dataset.way === "jsapi");
    if (ours && jsapi && page.dataset.state === "due") pay(jsapi.dataset.provider, "jsapi", code);
  }

  // A coupon is taken at once; an order that is open keeps its old amount, and what is too much of it goes back by itself.
  at("coupon")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const use = form.querySelector("button");
    use.disabled = true;
    note(say.busy);
    try {
      draw(await ask(`/api/v1/pay/bills/${bill}/coupons?lang=${say.language}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ code: form.code.value }),
      }));
      form.reset();
      forget();
      note("");
    } catch (error) {
      note(error.kind ? error.message : say.offline, "bad");
    }
    use.disabled = false;
  });

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
        if (view.state === "paid" && before === "due") { forget(); note(""); picture(""); }
        else if (at("note").textContent === say.offline) note("");
      } catch (error) {
        if (error.kind !== "unknown") note(say.offline, "bad");
      }
    }
  })();
})();
