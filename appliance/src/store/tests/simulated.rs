//! A medium that keeps only what was synced: at the power cut each 512-byte sector written since survives or not.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::changes::Dice;
use crate::store::disk::{Disk, DiskFile};

const SECTOR: usize = 512;

/// What happened to a file since its last sync, in order.
#[derive(Debug, Clone)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Clone, Default)]
struct Contents {
    /// What a reader sees.
    seen: Vec<u8>,
    /// What is on the platter.
    durable: Vec<u8>,
    pending: Vec<Pending>,
    /// The names under which it is found after a cut; `None`: not yet.
    durable_name: Option<String>,
}

#[derive(Debug)]
struct State {
    files: BTreeMap<u64, Contents>,
    names: BTreeMap<String, u64>,
    next: u64,
    /// Writes, syncs and the like that still go well.
    power: u64,
}

/// The medium. Clones are the same medium.
#[derive(Debug, Clone)]
pub(super) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    file: u64,
}

impl SimulatedDisk {
    /// An empty medium on which `power` operations go well before the cut.
    pub(super) fn new(power: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State { files: BTreeMap::new(), names: BTreeMap::new(), next: 0, power })) }
    }

    /// What is found when the power is back, for another `power` operations.
    pub(super) fn after_cut(&self, dice: &mut Dice, power: u64) -> Self {
        let state = self.locked();
        let mut files = BTreeMap::new();
        let mut names = BTreeMap::new();
        for (id, file) in &state.files {
            let current = state.names.iter().find(|(_, file)| *file == id).map(|(name, _)| name.clone());
            let name = if dice.one_in(2) { current } else { None };
            let Some(name) = file.durable_name.clone().or(name) else { continue };
            let contents = torn(file, dice);
            let kept = Contents {
                seen: contents.clone(),
                durable: contents,
                pending: vec![],
                durable_name: Some(name.clone()),
            };
            files.insert(*id, kept);
            names.insert(name, *id);
        }
        Self { state: Arc::new(Mutex::new(State { files, names, next: state.next, power })) }
    }

    /// Whether the power is gone.
    pub(super) fn is_cut(&self) -> bool {
        self.locked().power == 0
    }

    /// Flips a bit of a file, for good.
    pub(super) fn flip(&self, name: &str, byte: usize) {
        let mut state = self.locked();
        let id = state.names[name];
        let file = state.files.get_mut(&id).expect("named");
        file.seen[byte] ^= 1;
        file.durable[byte] ^= 1;
    }

    /// The power goes after so many more operations.
    pub(super) fn cut_after(&self, power: u64) {
        self.locked().power = power;
    }

    /// The files of a folder, in order.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        self.list(folder).expect("a simulated medium lists")
    }

    /// Where `text` stands in a file.
    pub(super) fn find(&self, name: &str, text: &[u8]) -> Vec<usize> {
        let state = self.locked();
        let seen = &state.files[&state.names[name]].seen;
        let windows = seen.windows(text.len()).enumerate();
        windows.filter(|(_, window)| *window == text).map(|(at, _)| at).step_by(97).collect()
    }

    pub(super) fn remove(&self, name: &str) {
        let mut state = self.locked();
        let id = state.names.remove(name).expect("named");
        state.files.remove(&id);
    }

    pub(super) fn len_of(&self, name: &str) -> usize {
        let state = self.locked();
        state.files[&state.names[name]].seen.len()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it was held")
    }

    /// The state, if the power lasts for one more operation.
    fn powered(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.locked();
        if state.power == 0 {
            return Err(io::Error::other("the power is off"));
        }
        state.power -= 1;
        Ok(state)
    }

    fn file(&self, id: u64) -> SimulatedFile {
        SimulatedFile { disk: self.clone(), file: id }
    }
}

/// The durable bytes, and a random part of what came after the last sync.
fn torn(file: &Contents, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = file.durable.clone();
    for pending in &file.pending {
        match pending {
            Pending::Length(length) => {
                if dice.one_in(2) {
                    bytes.resize(*length, 0);
                }
            }
            Pending::Write { offset, bytes: written } => {
                let mut at = 0;
                while at < written.len() {
                    let place = offset + at;
                    let end = written.len().min(at + SECTOR - place % SECTOR);
                    if dice.one_in(2) {
                        let needed = offset + end;
                        if bytes.len() < needed {
                            bytes.resize(needed, 0);
                        }
                        bytes[place..needed].copy_from_slice(&written[at..end]);
                    }
                    at = end;
                }
            }
        }
    }
    bytes
}

impl Disk for SimulatedDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let state = self.locked();
        let within = |name: &String| match name.rsplit_once('/') {
            Some((parent, file)) if parent == folder => Some(file.to_owned()),
            None if folder.is_empty() => Some(name.clone()),
            _ => None,
        };
        Ok(state.names.keys().filter_map(within).collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.powered()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = state.next;
        state.next += 1;
        state.files.insert(id, Contents::default());
        state.names.insert(name.to_owned(), id);
        drop(state);
        Ok(Box::new(self.file(id)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let id = *self.locked().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(self.file(id)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.powered()?;
        let id = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let mut state = self.powered()?;
        let state = &mut *state;
        for (name, id) in &state.names {
            if name.rsplit_once('/').map_or("", |(parent, _)| parent) == folder {
                state.files.get_mut(id).expect("named").durable_name = Some(name.clone());
            }
        }
        Ok(())
    }

    fn open_redb(&self, name: &str, builder: &Builder) -> Result<Database, DatabaseError> {
        let known = self.locked().names.get(name).copied();
        let id = if let Some(id) = known {
            id
        } else {
            self.create(name)?;
            self.locked().names[name]
        };
        builder.create_with_backend(self.file(id))
    }
}

impl SimulatedFile {
    fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let state = self.disk.locked();
        let seen = &state.files[&self.file].seen;
        let offset = usize::try_from(offset).expect("small").min(seen.len());
        let count = buffer.len().min(seen.len() - offset);
        buffer[..count].copy_from_slice(&seen[offset..offset + count]);
        count
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.powered()?;
        let offset = usize::try_from(offset).expect("small");
        let file = state.files.get_mut(&self.file).expect("files are not forgotten");
        let end = offset + bytes.len();
        if file.seen.len() < end {
            file.seen.resize(end, 0);
        }
        file.seen[offset..end].copy_from_slice(bytes);
        file.pending.push(Pending::Write { offset, bytes: bytes.to_vec() });
        Ok(())
    }

    fn set_length(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.powered()?;
        let len = usize::try_from(len).expect("small");
        let file = state.files.get_mut(&self.file).expect("files are not forgotten");
        file.seen.resize(len, 0);
        file.pending.push(Pending::Length(len));
        Ok(())
    }

    fn make_durable(&self) -> io::Result<()> {
        let mut state = self.disk.powered()?;
        let file = state.files.get_mut(&self.file).expect("files are not forgotten");
        for pending in std::mem::take(&mut file.pending) {
            match pending {
                Pending::Length(length) => file.durable.resize(length, 0),
                Pending::Write { offset, bytes } => {
                    let end = offset + bytes.len();
                    if file.durable.len() < end {
                        file.durable.resize(end, 0);
                    }
                    file.durable[offset..end].copy_from_slice(&bytes);
                }
            }
        }
        Ok(())
    }

    fn length(&self) -> u64 {
        self.disk.locked().files[&self.file].seen.len() as u64
    }
}

impl DiskFile for SimulatedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.length())
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.read(offset, buffer))
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write(offset, bytes)
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_length(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.make_durable()
    }
}

impl StorageBackend for SimulatedFile {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.length())
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        if SimulatedFile::read(self, offset, out) < out.len() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(())
    }
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.set_length(len)
    }
    fn sync_data(&self) -> Result<(), io::Error> {
        self.make_durable()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        SimulatedFile::write(self, offset, data)
    }
}
