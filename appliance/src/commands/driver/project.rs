//! `tollhouse driver new`: a project that builds on any machine with a compiler, and passes the check as it is.
//!
//! Nothing of ours is published, so a project brings along what it needs: the header, and for C++ and Rust the SDK, in
//! its folder `tollhouse`. It owns the way from a name to files. It must not know what stands in them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::templates;

/// In which language a driver is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Safe Rust over the SDK
    Rust,
    /// C11 with nothing but the header
    C,
    /// C++17 over the wrapper header
    Cpp,
}

/// A new driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The driver's id, `acme.barrier`; the folder is called so.
    pub id: String,
    /// The id as a file's and a crate's name, `acme-barrier`.
    pub stem: String,
    /// In which language.
    pub language: Language,
}

impl Project {
    /// A project of this name; `None` when it is no name for a driver. One word is put below `example`.
    pub fn named(name: &str, language: Language) -> Option<Self> {
        let word = |word: &str| {
            word.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if name.len() > 56 || !name.split('.').all(word) {
            return None;
        }
        let id = if name.contains('.') { name.to_owned() } else { format!("example.{name}") };
        Some(Self { stem: name.replace('.', "-"), id, language })
    }

    /// The file that a build leaves, from the project's folder.
    pub fn library(&self) -> PathBuf {
        match self.language {
            Language::Rust => format!("target/release/lib{}.so", self.stem.replace('-', "_")).into(),
            Language::C | Language::Cpp => format!("lib{}.so", self.stem).into(),
        }
    }
}

/// Writes a project below `place`; the new folder. Nothing that is there already is written over.
pub fn write(project: &Project, place: &Path) -> io::Result<PathBuf> {
    let folder = if place == Path::new(".") { PathBuf::from(&project.stem) } else { place.join(&project.stem) };
    fs::create_dir(&folder).map_err(|fault| match fault.kind() {
        io::ErrorKind::AlreadyExists => io::Error::other(format!("{} is there already", folder.display())),
        _ => fault,
    })?;
    for (path, text) in templates::files(project) {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, text)?;
    }
    Ok(folder)
}
