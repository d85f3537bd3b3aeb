//! What the terminal shows of the demo: one line for each thing that happens, as it happens.

use std::io::{self, IsTerminal, Write};

use chrono::SecondsFormat;
use tokio::sync::broadcast::error::RecvError;

use crate::live::{Happening, Live, News, Tone};

/// Whether the output understands colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// It is a terminal.
    Colours,
    /// It is a file or a pipe.
    Plain,
}

impl Paint {
    /// As standard output is, unless the person wants none (`NO_COLOR`).
    pub fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none();
        if wanted && io::stdout().is_terminal() { Self::Colours } else { Self::Plain }
    }
}

/// Writes lines until the box ends.
pub async fn show(live: &Live, zone: chrono_tz::Tz, paint: Paint) {
    let mut news = live.watch();
    loop {
        match news.recv().await {
            Ok(News::Happening(told)) => {
                let mut out = io::stdout().lock();
                // A reader that went away is no reason for the box to end.
                if writeln!(out, "{}", line(&told, zone, paint)).and_then(|()| out.flush()).is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => tracing::debug!(missed, "the terminal was too slow"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn mark(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Open => ("▲", "32"),
        Tone::Wait => ("■", "33"),
        Tone::Refuse => ("✗", "31"),
        Tone::Money => ("¥", "36"),
        Tone::Quiet => ("·", "2"),
        Tone::Alarm => ("!", "1;31"),
    }
}

/// `16:41:03  in-1   ▲ 粤C12345   欢迎光临，请入场 · Welcome, please drive in   5.00 CNY`
fn line(told: &Happening, zone: chrono_tz::Tz, paint: Paint) -> String {
    let (mark, colour) = mark(told.tone);
    let time = told.at.with_timezone(&zone).format("%H:%M:%S");
    let lane = told.lane.as_ref().map_or("", |lane| lane.as_str());
    let plate = told.plate.as_deref().unwrap_or("");
    let money = told.money.map(|money| format!("  {money}")).unwrap_or_default();
    // A Chinese character takes two columns, so the padding counts columns, not characters.
    let columns: usize = plate.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let plate = format!("{plate}{}", " ".repeat(10usize.saturating_sub(columns)));
    let text = format!("{time}  {lane:<6} {mark} {plate} {} · {}{money}", told.words.zh, told.words.en);
    match paint {
        Paint::Colours => format!("\x1b[{colour}m{text}\x1b[0m"),
        Paint::Plain => text,
    }
}

/// The moment as the lines show it, for headings.
pub fn moment(at: chrono::DateTime<chrono::Utc>, zone: chrono_tz::Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollhouse_core::id::LaneId;
    use tollhouse_core::lane::DecisionCode;
    use tollhouse_core::money::{Currency, Money};

    #[test]
    fn a_line_tells_when_where_who_and_what() {
        let due = Some(Money::new(1500, Currency::Cny));
        let told = Happening {
            id: 1,
            at: chrono::DateTime::UNIX_EPOCH,
            lane: LaneId::new("out-1").ok(),
            plate: Some("粤C12345".into()),
            code: DecisionCode::ExitPaymentDue.as_str().into(),
            tone: DecisionCode::ExitPaymentDue.tone(),
            words: DecisionCode::ExitPaymentDue.words(due),
            money: due,
        };
        assert_eq!(
            line(&told, chrono_tz::Asia::Shanghai, Paint::Plain),
            "08:00:00  out-1  ■ 粤C12345   请扫码缴费15.00元 · Please scan the code to pay 15.00  15.00 CNY"
        );
    }
}
