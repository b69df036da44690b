//! The trained model and what customers did on disk, so that a restart needs neither the backend nor a training.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::bytes::Unusable;
use crate::interactions::{self, Interactions};
use crate::model::tfidf::Options;
use crate::model::{self, Model};

const MODEL: &str = "model";
const INTERACTIONS: &str = "interactions";

/// The file could not be read or is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system failed.
    #[error("{path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is of another kind or version, or damaged.
    #[error("{path} is refused")]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Unusable,
    },
}

/// A file that is written, beside the one that it is to replace.
#[derive(Debug)]
#[must_use]
pub struct Unfinished {
    file: File,
    path: PathBuf,
}

impl Unfinished {
    /// Puts it in its place once it is on disk: whoever reads, or loses power, meanwhile has the old one or the new one
    /// as a whole.
    pub fn finish(self) -> Result<(), StoreError> {
        let Self { file, path } = self;
        let replace = || {
            file.sync_all()?;
            fs::rename(unfinished(&path), &path)?;
            // The name is on disk when the directory is.
            path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
        };
        replace().map_err(|source| StoreError::Io { path, source })
    }
}

/// A directory for both.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// Keeps it in this directory, which must exist when something is written.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// The model that was written last; nothing where none was.
    pub fn read(&self) -> Result<Option<Model>, StoreError> {
        self.read_file(MODEL, |bytes| model::bytes::read(bytes, Options::default()))
    }

    /// When that was; nothing where the file system does not say.
    #[must_use]
    pub fn written(&self) -> Option<Timestamp> {
        let written = fs::metadata(self.0.join(MODEL)).and_then(|file| file.modified());
        written.ok().and_then(|written| Timestamp::try_from(written).ok())
    }

    /// Replaces the model.
    pub fn write(&self, model: &Model) -> Result<(), StoreError> {
        self.write_file(MODEL, |file| model::bytes::write_to(model, file))?.finish()
    }

    /// What customers did, as it was written last; nothing where it never was.
    pub fn read_interactions(
        &self,
        max_users: usize,
        popularity_half_life: f64,
    ) -> Result<Option<Interactions>, StoreError> {
        self.read_file(INTERACTIONS, |bytes| {
            interactions::bytes::read(bytes, max_users, popularity_half_life)
        })
    }

    /// Writes what customers did, which nobody may change meanwhile; what takes the longest, to have it on disk, is left.
    pub fn write_interactions(&self, interactions: &Interactions) -> Result<Unfinished, StoreError> {
        self.write_file(INTERACTIONS, |file| interactions::bytes::write_to(interactions, file))
    }

    fn read_file<T>(
        &self,
        name: &str,
        read: impl FnOnce(&[u8]) -> Result<T, Unusable>,
    ) -> Result<Option<T>, StoreError> {
        let path = self.0.join(name);
        match fs::read(&path) {
            Ok(found) => read(&found).map(Some).map_err(|source| StoreError::Unusable { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Io { path, source }),
        }
    }

    fn write_file(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Unfinished, StoreError> {
        let path = self.0.join(name);
        let written = File::create(unfinished(&path)).and_then(|mut file| write(&mut file).map(|()| file));
        match written {
            Ok(file) => Ok(Unfinished { file, path }),
            Err(source) => Err(StoreError::Io { path, source }),
        }
    }
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("unfinished")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Catalogue, Product};
    use uuid::Uuid;

    fn model(name: &str) -> Model {
        Model::train(&Catalogue::new(vec![Product {
            id: Uuid::from_u128(1),
            name: name.to_owned(),
            description: String::new(),
            category: "Home".to_owned(),
            tags: Vec::new(),
        }]))
    }

    #[test]
    fn the_last_model_written_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path().to_owned());
        assert!(store.read().expect("nothing is no failure").is_none());
        for name in ["Red cushion", "Blue cushion"] {
            store.write(&model(name)).expect("written");
            assert_eq!(store.read().expect("read").expect("one").version(), model(name).version());
        }
        let names: Vec<_> = fs::read_dir(directory.path()).expect("listed").flatten().collect();
        assert_eq!(names.len(), 1, "nothing unfinished is left: {names:?}");
    }

    #[test]
    fn a_damaged_model_is_refused_by_name_and_can_be_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path().to_owned());
        fs::write(directory.path().join(MODEL), "shopmicro").expect("written");
        let refused = store.read().expect_err("is no model");
        assert!(matches!(refused, StoreError::Unusable { source: Unusable::Header, .. }), "{refused:?}");
        store.write(&model("Red cushion")).expect("written");
        assert!(store.read().expect("read").is_some());
    }

    #[test]
    fn a_directory_that_is_missing_is_an_error_that_names_it() {
        let store = Store::new(PathBuf::from("/nonexistent/shopmicro"));
        let error = store.write(&model("Red cushion")).expect_err("nowhere to write");
        assert_eq!(error.to_string(), "/nonexistent/shopmicro/model");
    }
}
