//! Holders and registered vehicles as tables, one row each.

use std::collections::BTreeMap;

use super::cells::{KINDS, name, one_of, plate, word};
use super::{Rows, may, must, names};
use crate::charging::estate::{Room, RoomError};
use crate::charging::holders::{Holder, RegisteredVehicle};
use crate::charging::label::HolderId;
use crate::charging::table::{Column, RowFault, read_rows};
use crate::charging::timeline::Note;
use crate::plate::Plate;
use crate::words::Words;

const HOLDERS: [Column; 5] =
    [must("id", "用户编号"), must("name", "姓名"), may("telephone", "电话"), may("email", "邮箱"), may("room", "房号")];

const VEHICLES: [Column; 3] = [must("plate", "车牌"), must("kind", "车辆类型"), may("holder", "用户编号")];

/// The columns of the table of holders.
pub fn holder_columns() -> Vec<String> {
    names(&HOLDERS)
}

/// The columns of the table of vehicles.
pub fn vehicle_columns() -> Vec<String> {
    names(&VEHICLES)
}

/// A room, as estates write it.
pub(super) fn room(text: &str) -> Result<Room, Words> {
    text.parse().map_err(|fault: RoomError| Words::new("房号不正确，请写成 3-2-1201", fault.to_string()))
}

/// Holders of a table, each id once.
pub fn read_holders(table: &[Vec<String>], note: &Note) -> Result<Vec<Holder>, Vec<RowFault>> {
    let mut made: BTreeMap<HolderId, Holder> = BTreeMap::new();
    read_rows(table, &HOLDERS, |line| {
        let said =
            |zh: &'static str| move |fault: crate::charging::holders::HolderError| Words::new(zh, fault.to_string());
        let id = line.must("id", name::<HolderId>);
        let called = line.must("name", |text| Holder::checked_name(text).map_err(said("姓名为 1 至 60 个字符")));
        let telephone = line.may("telephone", |text| Holder::checked_telephone(text).map_err(said("电话号码不正确")));
        let email = line.may("email", |text| Holder::checked_email(text).map_err(said("邮箱不正确")));
        let room = line.may("room", room);
        let (Some(id), Some(called)) = (id, called) else { return };
        let (telephone, email) = (telephone.unwrap_or_default(), email.unwrap_or_default());
        let holder = Holder { id: id.clone(), name: called, telephone, email, room, note: note.clone() };
        if made.insert(id, holder).is_some() {
            line.fault("id", &Words::new("此用户出现两次", "this holder is there twice"));
        }
    })?;
    Ok(made.into_values().collect())
}

/// The table that [`read_holders`] reads back.
pub fn export_holders<'h>(holders: impl IntoIterator<Item = &'h Holder>) -> Rows {
    let mut table = vec![holder_columns()];
    table.extend(holders.into_iter().map(|one| {
        let room = one.room.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![one.id.to_string(), one.name.clone(), one.telephone.clone(), one.email.clone(), room]
    }));
    table
}

/// Registered vehicles of a table, each plate once.
pub fn read_vehicles(table: &[Vec<String>], note: &Note) -> Result<Vec<RegisteredVehicle>, Vec<RowFault>> {
    let mut made: BTreeMap<Plate, RegisteredVehicle> = BTreeMap::new();
    read_rows(table, &VEHICLES, |line| {
        let plate = line.must("plate", plate);
        let kind = line.must("kind", |text| one_of(text, &KINDS));
        let holder = line.may("holder", name::<HolderId>);
        let (Some(plate), Some(kind)) = (plate, kind) else { return };
        let vehicle = RegisteredVehicle { plate: plate.clone(), kind, holder, note: note.clone() };
        if made.insert(plate, vehicle).is_some() {
            line.fault("plate", &Words::new("此车牌出现两次", "this plate is there twice"));
        }
    })?;
    Ok(made.into_values().collect())
}

/// The table that [`read_vehicles`] reads back.
pub fn export_vehicles<'v>(vehicles: impl IntoIterator<Item = &'v RegisteredVehicle>) -> Rows {
    let mut table = vec![vehicle_columns()];
    table.extend(vehicles.into_iter().map(|one| {
        let holder = one.holder.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![one.plate.to_string(), word(&one.kind, &KINDS), holder]
    }));
    table
}
