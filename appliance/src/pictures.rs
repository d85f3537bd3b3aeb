//! Pictures of passages: the JPEG files that cameras send beside their events, a folder for each day, bounded in days and bytes.
//!
//! A picture has the name of the passage that its event began, so nothing of it needs a place on record, and one that is gone is
//! missed by nobody. The devices' links hand pictures over and never wait: what cannot be written in time is left out. Whose
//! picture may be seen by whom is not decided here.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use chrono::{DateTime, Days, NaiveDate, Utc};
use tollhouse_core::id::{DeviceId, IdKey, PassageId};

/// The folder in the data folder.
const FOLDER: &str = "pictures";
/// Pictures that wait to be written: at most 2 MiB each.
const WAITING: usize = 16;
/// Kept for so many days.
const KEPT_DAYS: u64 = 30;
/// And so many bytes: then the oldest days go.
const KEPT_BYTES: u64 = 2 << 30;
/// How a JPEG begins.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// What became of a picture that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandedOver {
    /// It will be written.
    Taken,
    /// It is no JPEG.
    NoPicture,
    /// Others wait already: it is left out.
    LeftOut,
}

struct Picture {
    passage: PassageId,
    day: NaiveDate,
    jpeg: Vec<u8>,
}

/// The box's pictures.
pub struct Pictures {
    folder: PathBuf,
    key: IdKey,
    waiting: SyncSender<Picture>,
}

impl Pictures {
    /// In this data folder. Its thread ends with this value.
    pub fn open(data: &Path, key: IdKey) -> io::Result<Self> {
        let folder = data.join(FOLDER);
        let (waiting, pictures) = sync_channel(WAITING);
        let shelf = Shelf { folder: folder.clone(), kept_bytes: KEPT_BYTES, bytes: None };
        std::thread::Builder::new().name("pictures".to_owned()).spawn(move || shelf.keep(&pictures))?;
        Ok(Self { folder, key, waiting })
    }

    /// Takes the picture of a device's event.
    pub fn take(&self, device: &DeviceId, event_id: &str, jpeg: &[u8], now: DateTime<Utc>) -> HandedOver {
        if !jpeg.starts_with(JPEG) {
            return HandedOver::NoPicture;
        }
        let passage = PassageId::derive(&self.key, &[device.as_str(), event_id]);
        match self.waiting.try_send(Picture { passage, day: now.date_naive(), jpeg: jpeg.to_vec() }) {
            Ok(()) => HandedOver::Taken,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => HandedOver::LeftOut,
        }
    }

    /// The picture of a passage of about this time, if there is one. It reads a file.
    pub fn of(&self, passage: PassageId, captured_at: DateTime<Utc>) -> Option<Vec<u8>> {
        self.place_of(passage, captured_at).and_then(|path| std::fs::read(path).ok())
    }

    /// Whether there is one.
    pub fn has(&self, passage: PassageId, captured_at: DateTime<Utc>) -> bool {
        self.place_of(passage, captured_at).is_some()
    }

    /// An event that comes late has its picture on the day when that came.
    fn place_of(&self, passage: PassageId, captured_at: DateTime<Utc>) -> Option<PathBuf> {
        let day = captured_at.date_naive();
        let days = [Some(day), day.succ_opt()];
        let mut places = days.into_iter().flatten().map(|day| place(&self.folder, day, passage));
        places.find(|path| path.is_file())
    }
}

fn place(folder: &Path, day: NaiveDate, passage: PassageId) -> PathBuf {
    folder.join(day.to_string()).join(format!("{passage}.jpg"))
}

/// Where pictures stand, and how much that is.
struct Shelf {
    folder: PathBuf,
    kept_bytes: u64,
    bytes: Option<u64>,
}

impl Shelf {
    fn keep(mut self, pictures: &Receiver<Picture>) {
        while let Ok(picture) = pictures.recv() {
            if let Err(fault) = self.put(&picture) {
                tracing::warn!(%fault, "a picture cannot be kept");
            }
        }
    }

    fn put(&mut self, picture: &Picture) -> io::Result<()> {
        self.make_room(picture)?;
        let path = place(&self.folder, picture.day, picture.passage);
        let folder = path.parent().unwrap_or(&self.folder);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, &picture.jpeg));
        if written.is_err() && self.drop_oldest(picture.day)? == Room::Made {
            // The disk is full: what is old makes room before anything else of the box has to.
            std::fs::write(&path, &picture.jpeg)?;
        } else {
            written?;
        }
        self.bytes = self.bytes.map(|bytes| bytes.saturating_add(picture.jpeg.len() as u64));
        Ok(())
    }

    /// What is too old goes, and the oldest days while there is too much.
    fn make_room(&mut self, picture: &Picture) -> io::Result<()> {
        let first = picture.day.checked_sub_days(Days::new(KEPT_DAYS)).unwrap_or(picture.day);
        while let Some(day) = self.days()?.first().copied().filter(|day| *day < first) {
            self.remove(day)?;
        }
        let bytes = if let Some(bytes) = self.bytes { bytes } else { self.count()? };
        self.bytes = Some(bytes);
        while self.bytes.unwrap_or_default().saturating_add(picture.jpeg.len() as u64) > self.kept_bytes {
            if self.drop_oldest(picture.day)? == Room::None {
                return Err(io::Error::other("there are more pictures of one day than are kept"));
            }
            self.bytes = Some(self.count()?);
        }
        Ok(())
    }

    /// Days of which there are pictures, the oldest first.
    fn days(&self) -> io::Result<Vec<NaiveDate>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(fault) => return Err(fault),
        };
        let mut days: Vec<NaiveDate> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        days.sort_unstable();
        Ok(days)
    }

    fn count(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for day in self.days()? {
            for entry in std::fs::read_dir(self.folder.join(day.to_string()))? {
                bytes += entry?.metadata()?.len();
            }
        }
        Ok(bytes)
    }

    /// Removes the oldest day before this one.
    fn drop_oldest(&mut self, before: NaiveDate) -> io::Result<Room> {
        let Some(day) = self.days()?.first().copied().filter(|day| *day < before) else { return Ok(Room::None) };
        self.remove(day)?;
        Ok(Room::Made)
    }

    fn remove(&mut self, day: NaiveDate) -> io::Result<()> {
        self.bytes = None;
        std::fs::remove_dir_all(self.folder.join(day.to_string()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Made,
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn picture(day: NaiveDate, number: u8, bytes: usize) -> Picture {
        let mut jpeg = JPEG.to_vec();
        jpeg.resize(bytes, number);
        Picture { passage: PassageId::from_bytes([number; 16]), day, jpeg }
    }

    fn shelf(folder: &Path, kept_bytes: u64) -> Shelf {
        Shelf { folder: folder.to_owned(), kept_bytes, bytes: None }
    }

    #[test]
    fn the_oldest_days_make_room_and_what_is_too_old_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut shelf = shelf(folder.path(), 250);
        for (number, at) in [(1, "2026-03-01"), (2, "2026-03-20"), (3, "2026-03-21")] {
            shelf.put(&picture(day(at), number, 100)).expect("kept");
        }
        assert_eq!(shelf.days().expect("days"), [day("2026-03-20"), day("2026-03-21")], "no room for the first");
        shelf.put(&picture(day("2026-04-20"), 4, 100)).expect("kept");
        assert_eq!(shelf.days().expect("days"), [day("2026-03-21"), day("2026-04-20")], "31 days are too many");
        shelf.put(&picture(day("2026-04-20"), 5, 100)).expect("kept");
        assert!(shelf.put(&picture(day("2026-04-20"), 6, 100)).is_err(), "a day does not push out itself");
        assert_eq!(shelf.count().expect("counted"), 200);
    }

    #[test]
    fn a_picture_is_found_by_its_passage_and_only_a_jpeg_is_one() {
        let data = tempfile::tempdir().expect("a folder");
        let key = IdKey::new([7; 32]);
        let pictures = Pictures::open(data.path(), key.clone()).expect("opened");
        let (camera, now) = (DeviceId::new("cam-out-1").expect("a name"), DateTime::UNIX_EPOCH);
        assert_eq!(pictures.take(&camera, "e0", b"GIF89a", now), HandedOver::NoPicture);
        assert_eq!(pictures.take(&camera, "e1", &[0xff, 0xd8, 0xff, 0xe0], now), HandedOver::Taken);
        let passage = PassageId::derive(&key, &["cam-out-1", "e1"]);
        let place = place(&pictures.folder, now.date_naive(), passage);
        // Its thread ends when everything that was handed over is written.
        drop(pictures);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !place.is_file() && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        let again = Pictures::open(data.path(), key).expect("opened");
        assert!(again.has(passage, now));
        assert_eq!(again.of(passage, now - chrono::TimeDelta::days(1)).as_deref(), Some(&[0xff, 0xd8, 0xff, 0xe0][..]));
        assert!(!again.has(PassageId::from_bytes([1; 16]), now));
    }
}
