// Keeps the live page in step with the box: one stream, and only what changed is touched.
"use strict";
(() => {
  const page = document.querySelector("main");
  const word = page.dataset;
  const language = word.language;
  const at = (id) => document.getElementById(id);
  const KEPT = 40;
  const symbols = { CNY: "¥", JPY: "¥", HKD: "HK$", EUR: "€", GBP: "£", USD: "$" };
  const price = (amount, currency) => (amount ? (symbols[currency] || currency + " ") + amount : "");
  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const clockTime = (text) => text.slice(11, 19);

  const plate = (holder, seen, none) => {
    let mark = holder.firstElementChild;
    if (!mark) { mark = document.createElement("span"); holder.append(mark); }
    const look = seen ? "plate " + seen.style : none;
    if (mark.className !== look) mark.className = look;
    put(mark, seen ? seen.shown : none ? "—" : "");
  };

  const drawLane = (lane) => {
    let card = at("lane-" + lane.lane);
    if (!card) {
      card = at("lane").content.firstElementChild.cloneNode(true);
      card.id = "lane-" + lane.lane;
      put(card.querySelector(".name"), lane.lane);
      const link = page.querySelector(`[data-pay-lane="${lane.lane}"]`);
      if (link && lane.direction === "exit") {
        const pay = card.querySelector(".pay");
        pay.href = link.href;
        pay.hidden = false;
      }
      const after = [...at("lanes").children].find((other) => other.id > card.id);
      at("lanes").insertBefore(card, after || null);
    }
    if (card.dataset.state !== lane.state) card.dataset.state = lane.state;
    put(card.querySelector(".way"), word[lane.direction] || lane.direction);
    put(card.querySelector(".state"), word[lane.state] || lane.state);
    plate(card.querySelector(".car"), lane.plate, "none");
    put(card.querySelector(".words"), lane.words ? lane.words[language] : "");
    put(card.querySelector(".due"), price(lane.due, lane.currency));
    put(card.querySelector(".degraded"), lane.degraded.length ? word.missing + lane.degraded.join(", ") : "");
  };

  const row = (happening) => {
    const item = at("happening").content.firstElementChild.cloneNode(true);
    item.dataset.tone = happening.tone;
    item.title = happening.code;
    const time = item.querySelector("time");
    time.dateTime = happening.at;
    put(time, clockTime(happening.at));
    put(item.querySelector(".lane-name"), happening.lane || "");
    plate(item.querySelector(".car"), happening.plate, "");
    put(item.querySelector(".words"), happening.words[language]);
    put(item.querySelector(".money"), price(happening.money, happening.currency));
    return item;
  };

  const drawHappening = (happening) => {
    const list = at("recent");
    list.querySelector(".nothing")?.remove();
    const item = row(happening);
    item.classList.add("fresh");
    list.prepend(item);
    while (list.children.length > KEPT) list.lastElementChild.remove();
  };

  const drawTotals = (totals) => {
    put(at("inside"), String(totals.inside));
    put(at("free"), String(Math.max(0, totals.capacity - totals.inside)));
    put(at("taken"), price(totals.taken_today, totals.currency) || "–");
  };

  const drawLot = (lot) => {
    drawTotals(lot.totals);
    const known = new Set(lot.lanes.map((lane) => "lane-" + lane.lane));
    for (const card of [...at("lanes").children]) if (!known.has(card.id)) card.remove();
    lot.lanes.forEach(drawLane);
    if (lot.recent.length) at("recent").replaceChildren(...lot.recent.slice(0, KEPT).map(row));
  };

  drawLot(JSON.parse(word.lot));

  let silent;
  const follow = () => {
    const stream = new EventSource("/api/v1/live");
    const on = (name, draw) => stream.addEventListener(name, (event) => draw(JSON.parse(event.data)));
    on("lot", drawLot);
    on("lane", drawLane);
    on("happening", drawHappening);
    on("totals", drawTotals);
    stream.onopen = () => { clearTimeout(silent); silent = undefined; at("lost").hidden = true; };
    stream.onerror = () => {
      // A stream that is started again at once should not flash a warning.
      silent ??= setTimeout(() => { at("lost").hidden = false; }, 2500);
      if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 3000);
    };
  };
  follow();
})();
