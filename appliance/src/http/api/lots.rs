//! `/api/v1/lots`, `/areas` and `/devices`: the car park as it is configured, and how full and how whole it is.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path, ServiceConfig};
use serde::Serialize;
use tollhouse_core::id::AreaId;
use tollhouse_core::record::{Counter, Records};
use tollhouse_core::stay::{Basis, inside_counter};
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::{At, Caller, Listed, Paging, Problems};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/lots").get(lots).enter(app);
    At::new("/api/v1/lots/{id}").get(one).enter(app);
    At::new("/api/v1/areas").get(areas).enter(app);
    At::new("/api/v1/devices").get(devices).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(lots, one, areas, devices),
    tags((name = "lots", description = "The car park, its areas and devices"))
)]
pub(super) struct Description;

/// A car park.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lot)]
pub(super) struct LotAnswer {
    id: String,
    /// For people.
    name: String,
    /// Where its midnight is.
    time_zone: String,
    currency: &'static str,
    /// Places.
    capacity: i64,
    /// The share of tax that prices of temporary stays contain.
    tax_rate: String,
    lanes: Vec<LotLaneAnswer>,
}

/// An entry or exit, as it is configured.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotLane)]
pub(super) struct LotLaneAnswer {
    id: String,
    /// `entry` or `exit`.
    direction: String,
    /// The area that it leads into or out of.
    area: String,
    /// The area on its other side; null: the street.
    within: Option<String>,
}

/// A part of the lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Area)]
pub(super) struct AreaAnswer {
    id: String,
    /// Places for temporary cars.
    capacity: i64,
    /// Temporary cars inside.
    temporary: i64,
    /// Cars inside on a card's pass.
    pass: i64,
    /// Free cars inside.
    free: i64,
}

/// A device at a lane.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct DeviceAnswer {
    id: String,
    lane: String,
    /// `barrier`, `camera`, `spare_camera`, `display`, `loop`.
    part: String,
    /// `online` or `degraded`.
    state: &'static str,
}

fn lot(doors: &Doors) -> LotAnswer {
    let lot = &doors.desks.lot;
    let lanes = lot.lanes.iter().map(|lane| LotLaneAnswer {
        id: lane.id.clone(),
        direction: lane.direction.clone(),
        area: lane.area.clone(),
        within: lane.within.clone(),
    });
    LotAnswer {
        id: lot.id.to_string(),
        name: lot.name.clone(),
        time_zone: lot.zone.to_string(),
        currency: lot.currency.code(),
        capacity: lot.capacity,
        tax_rate: lot.tax_rate.to_string(),
        lanes: lanes.collect(),
    }
}

/// The lots of this box: one.
#[utoipa::path(get, path = "/api/v1/lots", tag = "lots", params(Paging),
    responses((status = 200, body = Listed<LotAnswer>), Problems))]
async fn lots(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<LotAnswer>>, Problem> {
    caller.may(Permission::GateRead)?;
    Ok(Json(page.of_all([lot(&doors)], |lot| lot.id.clone(), |lot| lot)))
}

/// One lot.
#[utoipa::path(get, path = "/api/v1/lots/{id}", tag = "lots", params(("id" = String, Path)),
    responses((status = 200, body = LotAnswer), Problems))]
async fn one(doors: Data<Arc<Doors>>, caller: Caller, id: Path<String>) -> Result<Json<LotAnswer>, Problem> {
    caller.may(Permission::GateRead)?;
    let lot = lot(&doors);
    if lot.id == *id { Ok(Json(lot)) } else { Err(Problem::unknown("this box has no lot of that name")) }
}

/// Its areas, and the cars inside each.
#[utoipa::path(get, path = "/api/v1/areas", tag = "lots", params(Paging),
    responses((status = 200, body = Listed<AreaAnswer>), Problems))]
async fn areas(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<AreaAnswer>>, Problem> {
    caller.may(Permission::GateRead)?;
    let records = doors.desks.records();
    let inside = |area: &AreaId, basis: Basis| -> Result<i64, Problem> {
        Ok(records.get::<Counter>(&inside_counter(area, &basis))?.map_or(0, |kept| kept.record.value))
    };
    let mut all = vec![];
    for area in &doors.desks.lot.areas {
        let Ok(id) = AreaId::new(&area.id) else { continue };
        all.push(AreaAnswer {
            id: area.id.clone(),
            capacity: area.capacity,
            temporary: inside(&id, Basis::Temporary)?,
            pass: inside(&id, Basis::Pass { card: String::new() })?,
            free: inside(&id, Basis::Free)?,
        });
    }
    Ok(Json(page.of_all(all, |area| area.id.clone(), |area| area)))
}

/// The devices of its lanes, and whether they are there.
#[utoipa::path(get, path = "/api/v1/devices", tag = "lots", params(Paging),
    responses((status = 200, body = Listed<DeviceAnswer>), Problems))]
async fn devices(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<DeviceAnswer>>, Problem> {
    caller.may(Permission::GateRead)?;
    let degraded = doors.readiness.report().degraded;
    let of_lane = |lane: &tollhouse_core::lot::LotLane| {
        let one = |(id, part): &(String, String)| DeviceAnswer {
            state: if degraded.contains(id) { "degraded" } else { "online" },
            id: id.clone(),
            lane: lane.id.clone(),
            part: part.clone(),
        };
        lane.devices.iter().map(one).collect::<Vec<_>>()
    };
    let mut all: Vec<DeviceAnswer> = doors.desks.lot.lanes.iter().flat_map(of_lane).collect();
    let key = |device: &DeviceAnswer| format!("{}/{}/{}", device.id, device.lane, device.part);
    all.sort_by_key(key);
    Ok(Json(page.of_all(all, key, |device| device)))
}
