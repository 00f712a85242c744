//! Descriptor sets: files that a client or the parent process opened for us, by number. A path
//! `/dev/fdset/N` means the member of set N whose access mode fits.
//!
//! The sets are the process's, not a session's. Their lock is taken by control and by workers that
//! open paths, and nothing is locked below it.

use devices::lock::{Mutex, MutexGuard, Rank};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::fs::OFlags;

/// A descriptor in a set.
pub(crate) struct Member {
    /// The descriptor.
    pub(crate) fd: OwnedFd,
    /// What its giver says about it.
    pub(crate) opaque: Option<String>,
}

/// All sets.
pub(crate) struct FdSets(Mutex<BTreeMap<u64, Vec<Member>>>);

impl FdSets {
    /// No sets.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Rank::Descriptors, BTreeMap::new())))
    }

    /// Adds a descriptor to set `set` (which may be new), or to the first free one. Returns the set
    /// and the descriptor's number.
    pub(crate) fn add(&self, set: Option<u64>, member: Member) -> (u64, RawFd) {
        let mut sets = self.lock();
        let free = || (0..).find(|set| !sets.contains_key(set)).expect("endless");
        let set = set.unwrap_or_else(free);
        let fd = member.fd.as_raw_fd();
        sets.entry(set).or_default().push(member);
        (set, fd)
    }

    /// Removes descriptor `fd` of a set, or all of the set. Returns whether there was anything.
    pub(crate) fn remove(&self, set: u64, fd: Option<RawFd>) -> bool {
        let mut sets = self.lock();
        let Some(members) = sets.get_mut(&set) else { return false };
        let before = members.len();
        members.retain(|member| fd.is_some_and(|fd| member.fd.as_raw_fd() != fd));
        let removed = members.len() < before;
        if members.is_empty() {
            sets.remove(&set);
        }
        removed
    }

    /// Visits every set.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(u64, &[Member])) {
        self.lock().iter().for_each(|(set, members)| visit(*set, members));
    }

    /// A duplicate of the member of `set` that was opened as `flags` wants.
    ///
    /// # Errors
    /// `ENOENT`: no such set; `EACCES`: no member that fits.
    pub(crate) fn open(&self, set: u64, flags: OFlags) -> io::Result<OwnedFd> {
        let sets = self.lock();
        let members = sets.get(&set).ok_or(rustix::io::Errno::NOENT)?;
        for member in members {
            let own = rustix::fs::fcntl_getfl(&member.fd)?;
            if own & OFlags::RWMODE == flags & OFlags::RWMODE {
                return member.fd.try_clone();
            }
        }
        Err(rustix::io::Errno::ACCESS.into())
    }

    /// What a user names for us to write into: `/dev/fdset/N`, or a file that is created or emptied.
    /// Blocks as long as the file does.
    ///
    /// # Errors
    /// As [`FdSets::open`], and the host's.
    pub(crate) fn create(&self, path: &str) -> io::Result<File> {
        match path.strip_prefix("/dev/fdset/").map(str::parse) {
            Some(Ok(set)) => self.open(set, OFlags::WRONLY).map(File::from),
            Some(Err(_)) => Err(rustix::io::Errno::NOENT.into()),
            None => File::create(path),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<Member>>> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(opaque: &str) -> Member {
        let fd = File::open("/dev/null").unwrap().into();
        Member { fd, opaque: Some(opaque.into()) }
    }

    #[test]
    fn sets_are_numbered_from_the_first_free_one() {
        let sets = FdSets::new();
        assert_eq!(sets.add(Some(0), member("a")).0, 0);
        assert_eq!(sets.add(None, member("b")).0, 1);
        let (_, fd) = sets.add(Some(1), member("c"));
        assert!(sets.remove(1, Some(fd)) && !sets.remove(1, Some(fd)));
        let mut seen = Vec::new();
        sets.for_each(|set, members| seen.push((set, members.len())));
        assert_eq!(seen, [(0, 1), (1, 1)]);
        assert!(sets.remove(1, None) && !sets.remove(1, None));
    }

    #[test]
    fn a_member_is_opened_by_its_access_mode() {
        let sets = FdSets::new();
        sets.add(Some(3), member("read only"));
        assert!(sets.open(3, OFlags::RDONLY).is_ok());
        let kind = |result: io::Result<OwnedFd>| result.unwrap_err().kind();
        assert_eq!(kind(sets.open(3, OFlags::WRONLY)), io::ErrorKind::PermissionDenied);
        assert_eq!(kind(sets.open(4, OFlags::RDONLY)), io::ErrorKind::NotFound);
    }
}
