//! Buckets: directories below the state directory.

use std::io;

use crate::error::Error;
use crate::layout::Layout;
use crate::model::BucketInfo;
use crate::names;
use crate::records;
use crate::socket::private_dir;

/// One bucket, or `None`. Blocks on files.
pub(crate) fn get(layout: &Layout, name: &str) -> Result<Option<BucketInfo>, Error> {
    names::check("bucket", name)?;
    let path = layout.bucket(name);
    match path.read_dir() {
        Ok(mut entries) => {
            let empty = entries.next().is_none();
            Ok(Some(BucketInfo {
                name: name.to_owned(),
                path,
                empty,
            }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", &path, error)),
    }
}

/// All buckets. Blocks on files.
pub(crate) fn all(layout: &Layout) -> Result<Vec<BucketInfo>, Error> {
    let names = records::names(&layout.buckets())?;
    let found: Result<Vec<_>, _> = names.iter().map(|name| get(layout, name)).collect();
    Ok(found?.into_iter().flatten().collect())
}

/// Makes a bucket. Blocks on files.
pub(crate) fn put(layout: &Layout, name: &str) -> Result<BucketInfo, Error> {
    names::check("bucket", name)?;
    let path = layout.bucket(name);
    private_dir(&path).map_err(|error| Error::file("make", &path, error))?;
    get(layout, name)?.ok_or_else(|| Error::file("make", &path, "it is gone again"))
}

/// Removes a bucket. Blocks on files.
pub(crate) fn remove(layout: &Layout, name: &str, force: bool) -> Result<(), Error> {
    names::check("bucket", name)?;
    let path = layout.bucket(name);
    if force {
        return records::remove_tree(&path);
    }
    match std::fs::remove_dir(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            Err(Error::BucketNotEmpty {
                name: name.to_owned(),
            })
        }
        Err(error) => Err(Error::file("remove", &path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{all, get, put, remove};
    use crate::error::Error;
    use crate::layout::Layout;

    #[test]
    fn a_bucket_with_objects_goes_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        assert_eq!(get(&layout, "files").unwrap(), None);
        remove(&layout, "files", false).unwrap();
        let bucket = put(&layout, "files").unwrap();
        assert!(bucket.empty);
        std::fs::write(bucket.path.join("a"), "x").unwrap();
        assert!(!put(&layout, "files").unwrap().empty);
        let error = remove(&layout, "files", false).unwrap_err();
        assert_eq!(
            error,
            Error::BucketNotEmpty {
                name: "files".into()
            }
        );
        assert_eq!(all(&layout).unwrap().len(), 1);
        remove(&layout, "files", true).unwrap();
        assert!(all(&layout).unwrap().is_empty());
        assert!(get(&layout, "../x").is_err());
    }
}
