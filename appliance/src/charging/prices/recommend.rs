//! Recommendations: from a card, or from places and plates, over the days that are looked back upon. Each is put on record
//! with all that it depends on, and can be reckoned again.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::cards::Card;
use tollhouse_core::charging::estate::{Pool, PoolTerms, Space, SquareMetres};
use tollhouse_core::charging::holders::RegisteredVehicle;
use tollhouse_core::charging::label::{CardNumber, HolderId};
use tollhouse_core::charging::packages::{
    Asker, Candidate, Choice, Holds, Package, PastStay, Recommendation, SoldPlace, recommend,
};
use tollhouse_core::charging::place::Place;
use tollhouse_core::id::RecommendationId;
use tollhouse_core::money::Money;
use tollhouse_core::plate::{Plate, VehicleKind};
use tollhouse_core::record::{By, ChangeKind, Kept, Records};
use tollhouse_core::stay::{Stay, StayState};
use utoipa::ToSchema;

use super::pricer::RecordedTariff;
use super::{PricesDesk, fees};
use crate::charging::fault::ChargingFault;
use crate::charging::parts::Decided;
use crate::charging::reading::{Seen, all, each};
use crate::charging::view::{NoteView, WordsView};

/// The most days that are looked back upon.
const MOST_DAYS: u16 = 366;
/// Days unless the caller says otherwise.
const USUAL_DAYS: u16 = 90;
/// The most stays that are looked at, the latest first.
const MOST_STAYS: usize = 2_000;
/// The most plates that are asked for.
const MOST_PLATES: usize = 50;

/// For whom a package is wanted: a card, or places and plates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedRecommendation {
    /// A card: its places and vehicles.
    #[serde(default)]
    pub card: Option<String>,
    /// A holder, where there is no card yet.
    #[serde(default)]
    pub holder: Option<String>,
    /// Places that they would take: spaces' numbers, and `pool/ID/1`.
    #[serde(default)]
    pub places: Vec<String>,
    /// Their plates.
    #[serde(default)]
    pub plates: Vec<String>,
    /// Days that are looked back upon: 1 to 366, 90 without it.
    #[serde(default)]
    pub days: Option<u16>,
}

/// A place that is priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedPlace {
    /// Which.
    pub place: String,
    /// Its class.
    pub class: String,
    /// For how many cars.
    pub capacity: u32,
}

/// What a choice would have cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CandidateView {
    /// The package; absent for 'no package'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// In all, over the days.
    pub cost: String,
    /// Of it, for the package.
    pub for_package: String,
    /// Of it, for fees that it does not bundle.
    pub for_fees: String,
    /// Of it, for stays that it does not cover.
    pub for_stays: String,
    /// What no package would have cost, less this; negative when it costs more.
    pub saves: String,
    /// The full price of one term, where it outlasts the days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_price: Option<String>,
    /// Days of one term; 0 without a package.
    pub term_days: i64,
    /// Why, in a sentence.
    pub reason: WordsView,
}

/// A recommendation: the first candidate would have cost least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationView {
    /// By which it is replayed.
    pub id: String,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// For which card, if for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// The first day that was looked at.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
    /// The places.
    pub places: Vec<AskedPlace>,
    /// How many stays were looked at.
    pub stays: usize,
    /// Of all amounts.
    pub currency: String,
    /// What each choice would have cost, the cheapest first.
    pub candidates: Vec<CandidateView>,
    /// Who made it.
    pub note: NoteView,
}

/// A recommendation reckoned again from the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    /// Whether it came out the same.
    pub equal: bool,
    /// As it was made.
    pub recommendation: RecommendationView,
    /// As it comes out now.
    pub again: Vec<CandidateView>,
}

impl From<&Candidate> for CandidateView {
    fn from(one: &Candidate) -> Self {
        Self {
            package: match &one.choice {
                Choice::NoPackage => None,
                Choice::Package(id) => Some(id.to_string()),
            },
            cost: one.cost.amount(),
            for_package: one.for_package.amount(),
            for_fees: one.for_fees.amount(),
            for_stays: one.for_stays.amount(),
            saves: one.saves.amount(),
            full_price: one.full_price.map(Money::amount),
            term_days: one.term_days,
            reason: WordsView::from(&one.reason),
        }
    }
}

impl From<&Recommendation> for RecommendationView {
    fn from(made: &Recommendation) -> Self {
        let place = |one: &SoldPlace| AskedPlace {
            place: one.place.to_string(),
            class: one.class.to_string(),
            capacity: one.capacity,
        };
        Self {
            id: made.id.clone(),
            at: made.at,
            card: made.card.as_ref().map(ToString::to_string),
            from: made.asker.horizon.from,
            until: made.asker.horizon.until,
            places: made.asker.places.iter().map(place).collect(),
            stays: made.asker.stays.len(),
            currency: made.currency.code().to_owned(),
            candidates: made.candidates.iter().map(CandidateView::from).collect(),
            note: NoteView::from(&made.note),
        }
    }
}

/// Who asks, as far as it is said.
struct Who {
    card: Option<CardNumber>,
    holder: Option<HolderId>,
    holds: Holds,
    places: Vec<SoldPlace>,
    plates: Vec<Plate>,
}

impl PricesDesk {
    /// Recommends, and puts it on record.
    pub async fn recommend(&self, by: &By, wanted: &WantedRecommendation) -> Result<RecommendationView, ChargingFault> {
        let (desk, who, what) = (self.clone(), by.clone(), wanted.clone());
        let made = tokio::task::spawn_blocking(move || desk.reckon(&who, &what)).await;
        let made = made.map_err(|why| ChargingFault::Broken(why.to_string()))??;
        self.parts
            .carry_out(by, |_| {
                let mut change = self.parts.change(ChangeKind::PackageRecommended, by);
                change.rely_on::<Recommendation>(&made.id, None);
                made.put(&mut change);
                Ok(Decided { change, outcome: RecommendationView::from(&made) })
            })
            .await
    }

    /// A recommendation that was made, reckoned again from the record alone.
    pub fn replay(&self, id: &str) -> Result<ReplayView, ChargingFault> {
        let records = self.parts.store.snapshot();
        let kept = records.get::<Recommendation>(id)?.ok_or_else(|| ChargingFault::unknown("recommendation", id))?;
        let made = kept.record;
        let tariff = RecordedTariff::named(&records, &made.tariffs, made.currency)?;
        let again = made.again(&tariff).map_err(super::of_fees)?;
        Ok(ReplayView {
            equal: again == made.candidates,
            recommendation: RecommendationView::from(&made),
            again: again.iter().map(CandidateView::from).collect(),
        })
    }

    /// What each choice would have cost. It looks at all stays: not for serving threads.
    fn reckon(&self, by: &By, wanted: &WantedRecommendation) -> Result<Recommendation, ChargingFault> {
        let records = self.parts.store.snapshot();
        let (at, today) = (self.parts.now(), self.parts.today());
        let days = wanted.days.unwrap_or(USUAL_DAYS);
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(ChargingFault::wrong("days", "应为 1 到 366 天", "1 to 366 days are looked back upon"));
        }
        let from = today.checked_sub_days(Days::new(u64::from(days))).unwrap_or(today);
        let horizon = Span::new(from, today).ok_or(ChargingFault::Busy)?;
        let who = Self::who(&records, wanted, today)?;
        let stays = self.stays_of(&records, &who.plates, horizon)?;
        let asker = Asker { places: who.places, holds: who.holds, stays, horizon };
        let packages: Vec<Package> = all(&records, "")?;
        let packages: Vec<Package> = packages.into_iter().filter(|package| package.is_on_sale(today)).collect();
        let list = fees(&records)?;
        let currency = self.parts.currency();
        let tariff = RecordedTariff::latest(&records, currency)?;
        let candidates = recommend(&asker, &packages, &list, &tariff, today, currency);
        let told = serde_json::to_string(wanted).unwrap_or_default();
        let id = RecommendationId::derive(&self.parts.key, &[&at.to_rfc3339(), by.name(), &told]);
        Ok(Recommendation {
            id: id.to_string(),
            at,
            holder: who.holder,
            card: who.card,
            asker,
            packages,
            fees: list.items().to_vec(),
            tariffs: tariff.labels,
            on: today,
            currency,
            candidates,
            note: self.parts.note(by),
        })
    }

    fn who(records: &impl Records, wanted: &WantedRecommendation, today: NaiveDate) -> Result<Who, ChargingFault> {
        let mut numbers = vec![];
        for text in wanted.plates.iter().take(MOST_PLATES) {
            let plate = Plate::new(text);
            numbers.push(plate.map_err(|why| ChargingFault::wrong("plates", "车牌不正确", why.to_string()))?);
        }
        let mut holder = None;
        if let Some(id) = &wanted.holder {
            holder =
                Some(HolderId::new(id).map_err(|why| ChargingFault::wrong("holder", "编号不正确", why.to_string()))?);
        }
        if let Some(number) = &wanted.card {
            let kept = records.get::<Card>(number)?.ok_or_else(|| ChargingFault::unknown("card", number))?;
            let card = kept.record;
            let places: Vec<Place> = card.places_on(today).cloned().collect();
            numbers.extend(card.vehicles_on(today).map(|vehicle| vehicle.plate.clone()));
            numbers.sort();
            numbers.dedup();
            return Ok(Who {
                places: sold_places(records, &places, today)?,
                holder: Some(card.holder.clone()),
                card: Some(card.number),
                holds: Holds::Places,
                plates: numbers,
            });
        }
        let mut places = vec![];
        for text in &wanted.places {
            let text = if text.contains('/') { text.clone() } else { format!("space/{text}") };
            let place = text.parse::<Place>();
            places.push(place.map_err(|why| ChargingFault::wrong("places", "车位不正确", why.to_string()))?);
        }
        if places.is_empty() {
            let en = "name a card, or places that they would take";
            return Err(ChargingFault::wrong("places", "请给出卡号或车位", en));
        }
        Ok(Who {
            card: None,
            holder,
            holds: Holds::Nothing,
            places: sold_places(records, &places, today)?,
            plates: numbers,
        })
    }

    /// The ended stays of these plates within the days, the earliest first.
    fn stays_of(
        &self,
        records: &impl Records,
        plates: &[Plate],
        horizon: Span,
    ) -> Result<Vec<PastStay>, ChargingFault> {
        if plates.is_empty() {
            return Ok(vec![]);
        }
        let mut stays = vec![];
        each(records, "", |kept: Kept<Stay>| {
            let stay = kept.record;
            let ended = matches!(stay.state, StayState::Closed | StayState::ExitMissed);
            let left = stay.exited_at.filter(|_| ended && plates.contains(&stay.plate));
            if let Some(left_at) = left.filter(|left| horizon.has(self.parts.date(*left)) && stay.entered_at <= *left) {
                stays.push(PastStay { plate: stay.plate, kind: stay.kind, entered_at: stay.entered_at, left_at });
            }
            Seen::More
        })?;
        for stay in &mut stays {
            stay.kind = kind_of(records, &stay.plate, Some(stay.kind))?;
        }
        stays.sort_by(|a, b| (a.entered_at, &a.plate).cmp(&(b.entered_at, &b.plate)));
        let over = stays.len().saturating_sub(MOST_STAYS);
        stays.drain(..over);
        // A stay of no length costs nothing and covers nothing.
        stays.retain(|stay| stay.left_at - stay.entered_at >= TimeDelta::seconds(1));
        Ok(stays)
    }
}

/// The kind of a vehicle: as it is registered, else as it was read, else by the form of its plate.
pub(in crate::charging) fn kind_of(
    records: &impl Records,
    plate: &Plate,
    read: Option<VehicleKind>,
) -> Result<VehicleKind, ChargingFault> {
    if let Some(registered) = records.get::<RegisteredVehicle>(plate.as_str())? {
        return Ok(registered.record.kind);
    }
    let by_form = match plate.form() {
        tollhouse_core::plate::Form::NewEnergy => VehicleKind::NewEnergy,
        _ => VehicleKind::Small,
    };
    Ok(read.unwrap_or(by_form))
}

/// Places as they are sold: with class, size and capacity on a day.
pub(in crate::charging) fn sold_places(
    records: &impl Records,
    places: &[Place],
    on: NaiveDate,
) -> Result<Vec<SoldPlace>, ChargingFault> {
    let mut sold = vec![];
    for place in places {
        sold.push(sold_place(records, place, on)?);
    }
    Ok(sold)
}

fn sold_place(records: &impl Records, place: &Place, on: NaiveDate) -> Result<SoldPlace, ChargingFault> {
    let not_yet = |begins: NaiveDate| ChargingFault::conflict(format!("{place} is there from {begins} only"));
    match place {
        Place::Space(number) => {
            let kept = records.get::<Space>(number.as_str())?;
            let space = kept.ok_or_else(|| ChargingFault::unknown("space", number))?.record;
            let is = space.attributes.on(on).ok_or_else(|| not_yet(space.attributes.begins()))?;
            let capacity = u32::from(is.layout.capacity());
            Ok(SoldPlace { place: place.clone(), class: is.class(), size: is.size, capacity })
        }
        Place::Pool(id, _) => {
            let kept = records.get::<Pool>(id.as_str())?;
            let pool = kept.ok_or_else(|| ChargingFault::unknown("pool", id))?.record;
            let class = pool.terms.on(on).map(PoolTerms::class).ok_or_else(|| not_yet(pool.terms.begins()))?;
            let size = SquareMetres::hundredths(0).expect("nothing is a size");
            Ok(SoldPlace { place: place.clone(), class, size, capacity: 1 })
        }
        Place::Card => Err(ChargingFault::conflict("a card itself is no place")),
    }
}
