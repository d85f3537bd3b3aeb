//! `/api/v1/bill-runs/{as_of}/events`: how a run goes, as server-sent events, until it is through.
//!
//! Shows what the runner tells. It must not know how a run works.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Path, ServiceConfig};
use chrono::NaiveDate;
use serde::Serialize;
use tokio::sync::watch::Receiver;
use tollhouse_core::charging::bills::BillRun;
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::bill_runs::path_date;
use super::{At, Caller, Problems};
use crate::charging::bills::run::RunProgress;
use crate::charging::bills::view::RunView;
use crate::http::doors::Doors;
use crate::http::live::{KEEP_ALIVE, Seat, Watchers, event, streamed};
use crate::http::problem::Problem;

/// A run moves on many times a second; a screen sees no more of it than this.
const NOT_MORE_OFTEN: Duration = Duration::from_millis(200);
/// A run of which nothing is heard for so many keep-alives is not watched any longer: it was cut off with the box.
const MOST_SILENCES: u32 = 40;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/bill-runs/{as_of}/events").get(events).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(events), components(schemas(RunEvent)))]
pub(super) struct Description;

/// A run as it goes.
#[derive(Debug, Serialize, ToSchema)]
struct RunEvent {
    /// How far it is, and what it drew.
    run: RunView,
    /// Cards that there are; unknown of a run that was over before anybody watched.
    of_cards: Option<u64>,
}

/// How a run goes, as server-sent events: at once as it stands, then whenever it has come further, at most five times a
/// second, and the last one when it is done. Then the stream ends.
#[utoipa::path(get, path = "/api/v1/bill-runs/{as_of}/events", tag = "bills", params(("as_of" = String, Path)),
    responses((status = 200, description = "Events `run` (RunEvent)", body = serde_json::Value, content_type = "text/event-stream"), Problems))]
async fn events(
    doors: Data<Arc<Doors>>,
    watchers: Data<Arc<Watchers>>,
    caller: Caller,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    caller.may(Permission::BillsRead)?;
    let as_of = path_date(&path, "bill run")?;
    // Watching begins before the run is read: nothing falls between them.
    let news = doors.desks.charging.runs.watch();
    let run = doors.desks.charging.runs.run_of(as_of)?;
    let seat = Seat::take(watchers.get_ref()).ok_or_else(|| Problem::full("too many screens watch"))?;
    let mut watch =
        Watch { doors: Arc::clone(doors.get_ref()), as_of, news, ready: VecDeque::new(), silences: 0, _seat: seat };
    watch.tell(&run, None);
    let stream = futures_util::stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok::<_, Infallible>(bytes), watch))
    });
    Ok(streamed(stream))
}

struct Watch {
    doors: Arc<Doors>,
    as_of: NaiveDate,
    news: Receiver<Option<RunProgress>>,
    /// What is to be sent; an empty one ends the stream.
    ready: VecDeque<Bytes>,
    silences: u32,
    _seat: Seat,
}

impl Watch {
    fn tell(&mut self, run: &BillRun, of_cards: Option<u64>) {
        let over = run.ended_at.is_some();
        let run = RunView::new(run, self.doors.desks.lot.currency, self.doors.zone);
        self.ready.push_back(event("run", None, &RunEvent { run, of_cards }));
        if over {
            self.ready.push_back(Bytes::new());
        }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.ready.pop_front() {
                Some(last) if last.is_empty() => return None,
                Some(bytes) => return Some(bytes),
                None => {}
            }
            match tokio::time::timeout(KEEP_ALIVE, self.news.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) if self.silences == MOST_SILENCES => return None,
                Err(_) => {
                    self.silences += 1;
                    return Some(Bytes::from_static(b": still here\n\n"));
                }
            }
            let progress = self.news.borrow_and_update().clone();
            if let Some(RunProgress { run, of_cards }) = progress.filter(|progress| progress.run.as_of == self.as_of) {
                self.silences = 0;
                self.tell(&run, Some(of_cards));
                if run.ended_at.is_none() {
                    tokio::time::sleep(NOT_MORE_OFTEN).await;
                }
            }
        }
    }
}
