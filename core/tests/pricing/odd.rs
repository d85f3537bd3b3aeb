//! Tariffs that no operator would write, each to press on one part of the engine.

use std::fmt::Write as _;

/// Name and text of each.
pub(crate) fn odd_tariffs() -> Vec<(String, String)> {
    let head = |name: &str, zone: &str| {
        format!("id = \"{name}\"\nversion = \"1\"\ncurrency = \"CNY\"\ntime_zone = \"{zone}\"\n")
    };
    let day_and_night = |day: &str, night: &str| {
        format!(
            "[[rate]]\nname = \"day\"\ntime = \"07:00-19:00\"\n{day}\n[[rate]]\nname = \"night\"\ntime = \"19:00-07:00\"\n{night}\n"
        )
    };
    let hourly = day_and_night("per = \"1h\"\nprice = \"3.10\"", "per = \"90min\"\nprice = \"1.35\"");
    let mut all = Vec::new();
    for boundary in ["restart", "start", "end", "split"] {
        for counting in ["visit", "rate", "window"] {
            let name = format!("{boundary}-{counting}");
            let steps = "steps = [{ until = \"2h\", per = \"40min\", price = \"1.03\" }, { per = \"35min\", price = \"0.77\" }]";
            let keys = format!("boundary = \"{boundary}\"\ncounting = \"{counting}\"\n");
            let caps = "[[cap]]\nper = \"24h\"\nmax = \"21.00\"\n";
            let rates = day_and_night(steps, "per = \"55min\"\nprice = \"0.50\"\ntolerance = \"7min\"");
            all.push((name.clone(), head(&name, "Europe/Berlin") + &keys + &rates + caps));
        }
    }
    let cycles = [
        ("ten-hours", "cycle = { every = \"10h\", next = \"restart\" }\n"),
        (
            "ten-hours-on",
            "cycle = { every = \"10h\", next = \"continue\" }\nrounding = { to = \"0.50\", direction = \"up\", at = \"cycle\" }\n",
        ),
        ("days", "cycle = { every = \"calendar_day\", starts = \"06:00\", next = \"restart\" }\n"),
        (
            "free-again",
            "cycle = { every = \"24h\", next = \"restart\" }\nfree = { time = \"30min\", when_exceeded = \"deducted\", again = \"each_cycle\" }\n",
        ),
        (
            "lost-again",
            "cycle = { every = \"24h\", next = \"continue\" }\nfree = { time = \"50min\", again = \"each_cycle\" }\n",
        ),
    ];
    for (name, keys) in cycles {
        all.push((name.to_owned(), head(name, "Europe/London") + keys + &hourly));
    }
    let mut growing = head("growing", "Asia/Shanghai") + &hourly;
    for (days, max) in [("1", 20), ("2-3", 25), ("4-", 30)] {
        let _ = writeln!(growing, "[[cap]]\nper = \"calendar_day\"\nday_number = \"{days}\"\nmax = \"{max}.00\"");
    }
    growing +=
        "[[cap]]\nper = \"24h\"\nrates = [\"night\"]\nmax = \"4.00\"\n[[cap]]\nper = \"visit\"\nmax = \"900.00\"\n";
    all.push(("growing".to_owned(), growing));
    let bounded = day_and_night(
        "per = \"1h\"\nprice = \"1.00\"\nmin = \"5.00\"\nmax = \"9.00\"",
        "cheapest = [{ flat = \"6.00\" }, { per = \"1h\", price = \"0.90\" }]",
    );
    let percent = "[[adjust]]\npercent = \"-12.5\"\ndays = [\"weekend\"]\n[[adjust]]\npercent = \"7\"\napplied = \"after_caps\"\n";
    all.push(("bounded".to_owned(), head("bounded", "Asia/Shanghai") + &bounded + percent));
    let stops = "[[rate]]\nname = \"day\"\nper = \"50min\"\nprice = \"2.05\"\n[[rate]]\nname = \"noon\"\ntime = \"12:00-13:10\"\nprice = \"free\"\nclock = \"stops\"\n[[rate]]\nname = \"sunday\"\ndays = [\"sun\"]\ntime = \"00:00-24:00\"\nflat = \"3.00\"\n";
    all.push(("stops".to_owned(), head("stops", "America/Havana") + stops));
    let bands = "cycle = { every = \"2d\", next = \"restart\" }\n[[rate]]\nsteps = [{ until = \"2h\", total = \"3.00\" }, { until = \"10h\", total = \"7.00\" }, { until = \"1d\", total = \"9.50\" }]\nafter = \"continue\"\nends = \"excluded\"\n";
    all.push(("bands".to_owned(), head("bands", "Asia/Shanghai") + bands));
    all
}
