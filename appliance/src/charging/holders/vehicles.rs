//! Registered vehicles: a kind that is registered goes before the one that a plate's colour tells.

use serde::{Deserialize, Serialize};
use tollhouse_core::charging::holders::{Holder, PlateCards, RegisteredVehicle};
use tollhouse_core::charging::tables::{export_vehicles, read_vehicles};
use tollhouse_core::record::{By, ChangeKind, Records, Table};
use utoipa::ToSchema;

use super::HoldersDesk;
use crate::charging::fault::ChargingFault;
use crate::charging::form::{of_fields, one_row};
use crate::charging::parts::Decided;
use crate::charging::reading::{Page, page};
use crate::charging::view::NoteView;

/// A vehicle: the columns of the import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VehicleBody {
    /// Its plate.
    #[schema(example = "粤C12345")]
    pub plate: String,
    /// `small`, `large` or `new_energy`.
    pub kind: String,
    /// Whose, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// A vehicle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VehicleView {
    /// Its plate.
    pub plate: String,
    /// `small`, `large` or `new_energy`.
    pub kind: String,
    /// Whose, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The cards that it is on today.
    pub cards: Vec<String>,
    /// Who registered it, and why.
    pub note: NoteView,
}

impl HoldersDesk {
    fn vehicle_view(&self, records: &impl Records, vehicle: &RegisteredVehicle) -> Result<VehicleView, ChargingFault> {
        let today = self.parts.today();
        let cards = records.get::<PlateCards>(vehicle.plate.as_str())?.map(|kept| kept.record.cards);
        let cards = cards.unwrap_or_default();
        let now = cards.iter().filter(|held| held.span().is_some_and(|span| span.has(today)));
        let row = export_vehicles([vehicle]).pop().unwrap_or_default();
        Ok(VehicleView {
            plate: vehicle.plate.to_string(),
            kind: row.get(1).cloned().unwrap_or_default(),
            holder: vehicle.holder.as_ref().map(ToString::to_string),
            cards: now.map(|held| held.card.to_string()).collect(),
            note: NoteView::from(&vehicle.note),
        })
    }

    /// A registered vehicle.
    pub fn vehicle(&self, plate: &str) -> Result<VehicleView, ChargingFault> {
        let records = self.parts.store.snapshot();
        let kept = records.get::<RegisteredVehicle>(plate)?.ok_or_else(|| ChargingFault::unknown("vehicle", plate))?;
        self.vehicle_view(&records, &kept.record)
    }

    /// Registered vehicles after a plate; of a holder, if one is named.
    pub fn vehicles(
        &self,
        holder: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<VehicleView>, ChargingFault> {
        let records = self.parts.store.snapshot();
        let wanted = |vehicle: &RegisteredVehicle| {
            holder.is_none_or(|holder| vehicle.holder.as_ref().is_some_and(|of| of.as_str() == holder))
        };
        let Page { items, next } = page(&records, after, limit, wanted)?;
        let items = items.iter().map(|vehicle| self.vehicle_view(&records, vehicle)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Registers a vehicle, or registers it anew.
    pub async fn register(&self, by: &By, body: &VehicleBody) -> Result<VehicleView, ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let made = read_vehicles(&one_row(body), &self.parts.note(by)).map_err(of_fields)?;
                let vehicle = made.into_iter().next().ok_or_else(|| ChargingFault::unknown("vehicle", &body.plate))?;
                if let Some(holder) = &vehicle.holder
                    && records.get::<Holder>(holder.as_str())?.is_none()
                {
                    return Err(ChargingFault::unknown("holder", holder));
                }
                let kept = records.get::<RegisteredVehicle>(vehicle.plate.as_str())?;
                let mut change = self.parts.change(ChangeKind::HoldersChanged, by);
                change.personal(vehicle.plate.as_str());
                change.rely_on(vehicle.plate.as_str(), kept.as_ref());
                change.put(&vehicle);
                Ok(Decided { change, outcome: self.vehicle_view(records, &vehicle)? })
            })
            .await
    }

    /// Takes a registration back: its kind is what the plate's colour tells again.
    pub async fn unregister(&self, by: &By, plate: &str) -> Result<(), ChargingFault> {
        self.parts
            .carry_out(by, |records| {
                let kept = records.get::<RegisteredVehicle>(plate)?;
                let kept = kept.ok_or_else(|| ChargingFault::unknown("vehicle", plate))?;
                let mut change = self.parts.change(ChangeKind::HoldersChanged, by);
                change.personal(plate);
                change.rely_on(plate, Some(&kept));
                change.delete(Table::Vehicles, plate);
                Ok(Decided { change, outcome: () })
            })
            .await
    }
}
