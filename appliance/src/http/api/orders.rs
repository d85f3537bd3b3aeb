//! `/api/v1/orders`: what was asked of payment providers, and how each order stands. Who pays is not shown: providers' names of
//! payers are nobody's business here.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::id::{BillId, OrderId};
use tollhouse_core::pay::{Order, OrderState};
use tollhouse_core::record::{Kept, Records};
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::{At, Caller, Fields, Listed, Paging, Problems, Query};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

const STATES: [OrderState; 5] =
    [OrderState::Pending, OrderState::Paid, OrderState::Expired, OrderState::Closed, OrderState::Refunded];

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/orders").get(list).enter(app);
    At::new("/api/v1/orders/{id}").get(one).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, one))]
pub(super) struct Description;

/// An order at a payment provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderShown {
    /// The id that a page shows.
    id: String,
    /// The number under which the provider knows it, and statements name it.
    number: String,
    provider: String,
    /// Our account there.
    merchant: String,
    /// `jsapi`, `h5`, `native`, `wap`, `precreate`, `code` or `page`.
    way: &'static str,
    /// What it pays; null where that is not known.
    bill: Option<String>,
    amount: String,
    currency: &'static str,
    /// `pending`, `paid`, `expired`, `closed` or `refunded`.
    state: &'static str,
    made_at: String,
    expires_at: String,
    /// When it ended unpaid.
    ended_at: Option<String>,
    /// The provider's transaction, once paid.
    transaction: Option<String>,
}

impl OrderShown {
    fn of(order: Order, zone: Tz) -> Self {
        Self {
            id: order.id.to_string(),
            bill: order.pays.bill().map(|bill| bill.to_string()),
            number: order.number,
            provider: order.provider,
            merchant: order.merchant,
            way: order.way.as_str(),
            amount: order.amount.amount(),
            currency: order.amount.currency().code(),
            state: wire::order_word(order.state),
            made_at: wire::time(order.made_at, zone),
            expires_at: wire::time(order.expires_at, zone),
            ended_at: order.ended_at.map(|at| wire::time(at, zone)),
            transaction: order.transaction,
        }
    }
}

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only `pending`, `paid`, `expired`, `closed` or `refunded` ones.
    #[param(pattern = "^(pending|paid|expired|closed|refunded)$")]
    state: Option<String>,
    /// Only those of this provider.
    #[param(max_length = 40)]
    provider: Option<String>,
    /// Only those that pay this bill.
    #[param(max_length = 64)]
    bill: Option<String>,
}

/// Orders at payment providers, in the order of their ids.
#[utoipa::path(get, path = "/api/v1/orders", tag = "till", params(Which, Paging),
    responses((status = 200, body = Listed<OrderShown>), Problems))]
async fn list(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    which: Query<Which>,
    page: Paging,
) -> Result<Json<Listed<OrderShown>>, Problem> {
    caller.may(Permission::PaymentsRead)?;
    let Query(Which { state, provider, bill }) = which;
    let mut fields = Fields::default();
    let unknown = "the states are pending, paid, expired, closed and refunded";
    let state = state.and_then(|word| {
        let state = STATES.into_iter().find(|state| wire::order_word(*state) == word);
        fields.read("?state", state.ok_or(unknown))
    });
    let bill = bill.and_then(|bill| fields.read("?bill", bill.parse::<BillId>()));
    let short = |name: String| if name.chars().count() <= 40 { Ok(name) } else { Err("longer than 40 characters") };
    let provider = provider.and_then(|name| fields.read("?provider", short(name)));
    fields.done()?;
    let wanted = |order: &Order| {
        state.is_none_or(|state| order.state == state)
            && provider.as_ref().is_none_or(|provider| order.provider == *provider)
            && bill.is_none_or(|bill| order.pays.bill() == Some(bill))
    };
    let show = |kept: Kept<Order>| wanted(&kept.record).then(|| OrderShown::of(kept.record, doors.zone));
    page.of(&doors.desks.records(), show).map(Json)
}

/// One order.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "till", params(("id" = String, Path)),
    responses((status = 200, body = OrderShown), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<OrderShown>, Problem> {
    caller.may(Permission::PaymentsRead)?;
    let unknown = || Problem::unknown("there is no such order");
    let id: OrderId = id.parse().map_err(|_| unknown())?;
    let kept = doors.desks.records().get::<Order>(&id.to_string())?.ok_or_else(unknown)?;
    Ok(Json(OrderShown::of(kept.record, doors.zone)))
}
