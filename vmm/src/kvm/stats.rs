//! KVM's binary statistics (KVM API 4.132, `KVM_GET_STATS_FD`): a descriptor for the machine and
//! one for each vCPU, which read as a header, a table that describes the values, and the values.
//!
//! A vCPU's descriptor is made on its own thread, as everything that is done to a vCPU.
#![allow(unsafe_code)] // One ioctl that returns a new descriptor, which gets its owner here.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;

use kvm_bindings::{
    KVM_STATS_BASE_MASK, KVM_STATS_BASE_POW2, KVM_STATS_BASE_POW10, KVM_STATS_TYPE_CUMULATIVE,
    KVM_STATS_TYPE_INSTANT, KVM_STATS_TYPE_LINEAR_HIST, KVM_STATS_TYPE_LOG_HIST,
    KVM_STATS_TYPE_MASK, KVM_STATS_TYPE_PEAK, KVM_STATS_UNIT_BOOLEAN, KVM_STATS_UNIT_BYTES,
    KVM_STATS_UNIT_CYCLES, KVM_STATS_UNIT_MASK, KVM_STATS_UNIT_NONE, KVM_STATS_UNIT_SECONDS, KVMIO,
};
use qapi::{Stats, StatsSchemaValue, StatsType, StatsUnit, StatsValue};
use vmm_sys_util::ioctl::ioctl;
use vmm_sys_util::ioctl_io_nr;

ioctl_io_nr!(KVM_GET_STATS_FD, KVMIO, 0xce);

/// Bytes of the header: flags, size of a name, number of values, and where their identifier, table
/// and values begin; each a word of 32 bits.
const HEADER: usize = 24;
/// Bytes of an entry of the table, before its name: flags, exponent, number of words, where the
/// words begin among the values, and the width of a histogram's buckets.
const ENTRY: usize = 16;
/// More than any kernel has; a limit to what we allocate.
const MAX_VALUES: usize = 4096;
const MAX_NAME: usize = 1024;

/// The statistics of one machine or vCPU at one moment.
#[derive(Debug, PartialEq)]
pub(crate) struct Reading(Vec<Statistic>);

#[derive(Debug, PartialEq)]
struct Statistic {
    schema: StatsSchemaValue,
    value: StatsValue,
}

/// Reads the statistics of `owner`, a machine's or vCPU's descriptor; `None` where the kernel has
/// none.
pub(crate) fn read(owner: &impl AsRawFd) -> Option<Reading> {
    // SAFETY: the ioctl takes no argument.
    let fd = unsafe { ioctl(owner, KVM_GET_STATS_FD()) };
    if fd < 0 {
        log::debug!("KVM has no statistics: {}", io::Error::last_os_error());
        return None;
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let file = unsafe { File::from_raw_fd(fd) };
    let read = |offset: u64, bytes: &mut [u8]| file.read_exact_at(bytes, offset);
    parse(read).inspect_err(|error| log::error!("KVM's statistics: {error}")).ok()
}

impl Reading {
    /// What there is, described.
    pub(crate) fn schema(&self) -> Vec<StatsSchemaValue> {
        self.0.iter().map(|statistic| statistic.schema.clone()).collect()
    }

    /// The values; of those in `names` only, if there are any names.
    pub(crate) fn values(&self, names: Option<&[String]>) -> Vec<Stats> {
        let wanted = |name: &String| names.is_none_or(|names| names.contains(name));
        let shown = self.0.iter().filter(|statistic| wanted(&statistic.schema.name));
        shown.map(|one| Stats { name: one.schema.name.clone(), value: one.value.clone() }).collect()
    }
}

/// Reads everything through `read(offset, bytes)`. Values of a type, unit or base that this
/// program does not know are left out.
fn parse(read: impl Fn(u64, &mut [u8]) -> io::Result<()>) -> io::Result<Reading> {
    let mut header = [0; HEADER];
    read(0, &mut header)?;
    let (name_size, count) = (word(&header, 4) as usize, word(&header, 8) as usize);
    if name_size > MAX_NAME || count > MAX_VALUES {
        return Err(io::Error::other("a header that makes no sense"));
    }
    let mut table = vec![0; (ENTRY + name_size) * count];
    read(word(&header, 16).into(), &mut table)?;
    let data = u64::from(word(&header, 20));
    let mut list = Vec::with_capacity(count);
    for entry in table.chunks_exact(ENTRY + name_size) {
        let Some(schema) = describe(entry) else { continue };
        let mut bytes = vec![0; usize::from(half(entry, 6)) * 8];
        read(data + u64::from(word(entry, 8)), &mut bytes)?;
        let words =
            bytes.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().expect("8")));
        let value = value_of(&schema, words.collect());
        list.push(Statistic { schema, value });
    }
    Ok(Reading(list))
}

fn describe(entry: &[u8]) -> Option<StatsSchemaValue> {
    let flags = word(entry, 0);
    let r#type = match flags & KVM_STATS_TYPE_MASK {
        KVM_STATS_TYPE_CUMULATIVE => StatsType::Cumulative,
        KVM_STATS_TYPE_INSTANT => StatsType::Instant,
        KVM_STATS_TYPE_PEAK => StatsType::Peak,
        KVM_STATS_TYPE_LINEAR_HIST => StatsType::LinearHistogram,
        KVM_STATS_TYPE_LOG_HIST => StatsType::Log2Histogram,
        _ => return None,
    };
    let unit = match flags & KVM_STATS_UNIT_MASK {
        KVM_STATS_UNIT_NONE => None,
        KVM_STATS_UNIT_BYTES => Some(StatsUnit::Bytes),
        KVM_STATS_UNIT_SECONDS => Some(StatsUnit::Seconds),
        KVM_STATS_UNIT_CYCLES => Some(StatsUnit::Cycles),
        KVM_STATS_UNIT_BOOLEAN => Some(StatsUnit::Boolean),
        _ => return None,
    };
    let base = match flags & KVM_STATS_BASE_MASK {
        KVM_STATS_BASE_POW10 => 10,
        KVM_STATS_BASE_POW2 => 2,
        _ => return None,
    };
    let exponent = half(entry, 4).cast_signed();
    let name = &entry[ENTRY..];
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    Some(StatsSchemaValue {
        name: String::from_utf8_lossy(&name[..end]).into_owned(),
        bucket_size: (r#type == StatsType::LinearHistogram).then(|| word(entry, 12)),
        r#type,
        unit,
        // A value that is counted one by one has no use for a base.
        base: (exponent != 0).then_some(base),
        exponent,
    })
}

fn value_of(schema: &StatsSchemaValue, words: Vec<u64>) -> StatsValue {
    match (schema.r#type, &words[..]) {
        (StatsType::LinearHistogram | StatsType::Log2Histogram, _) => StatsValue::List(words),
        (_, [one]) if schema.unit == Some(StatsUnit::Boolean) => StatsValue::Boolean(*one != 0),
        (_, [one]) => StatsValue::Scalar(*one),
        _ => StatsValue::List(words),
    }
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    u32::from_ne_bytes(bytes[offset..offset + 4].try_into().expect("4 bytes"))
}

fn half(bytes: &[u8], offset: usize) -> u16 {
    u16::from_ne_bytes(bytes[offset..offset + 2].try_into().expect("2 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: usize = 16;

    /// A statistics file with these entries: flags, exponent, words, bucket width, name.
    fn file(entries: &[(u32, i16, &[u64], u32, &str)]) -> Vec<u8> {
        let table = HEADER + 4;
        let data = table + entries.len() * (ENTRY + NAME);
        let header = [0, NAME, entries.len(), HEADER, table, data].map(|word| word as u32);
        let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.extend(b"id\0\0");
        let mut values = Vec::new();
        for (flags, exponent, words, bucket, name) in entries {
            bytes.extend(flags.to_ne_bytes());
            bytes.extend(exponent.to_ne_bytes());
            bytes.extend((words.len() as u16).to_ne_bytes());
            bytes.extend((values.len() as u32).to_ne_bytes());
            bytes.extend(bucket.to_ne_bytes());
            let mut padded = [0; NAME];
            padded[..name.len()].copy_from_slice(name.as_bytes());
            bytes.extend(padded);
            values.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        }
        bytes.extend(values);
        bytes
    }

    fn parsed(bytes: &[u8]) -> io::Result<Reading> {
        parse(|offset, into| {
            let from = bytes.get(offset as usize..).and_then(|rest| rest.get(..into.len()));
            into.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    #[test]
    fn types_units_and_bases_are_told() {
        let reading = parsed(&file(&[
            (KVM_STATS_TYPE_CUMULATIVE, 0, &[7], 0, "exits"),
            (KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BOOLEAN, 0, &[1], 0, "blocking"),
            (KVM_STATS_TYPE_LOG_HIST | KVM_STATS_UNIT_SECONDS, -9, &[1, 2, 3], 0, "wait"),
            (KVM_STATS_TYPE_LINEAR_HIST | KVM_STATS_BASE_POW2, 20, &[4, 5], 64, "sizes"),
            (KVM_STATS_TYPE_PEAK | KVM_STATS_UNIT_BYTES, 0, &[u64::MAX], 0, "0123456789abcdef"),
        ]))
        .unwrap();
        let schema = reading.schema();
        let told: Vec<_> = schema
            .iter()
            .map(|s| (s.name.as_str(), s.r#type, s.unit, s.base, s.exponent, s.bucket_size))
            .collect();
        assert_eq!(
            told,
            [
                ("exits", StatsType::Cumulative, None, None, 0, None),
                ("blocking", StatsType::Instant, Some(StatsUnit::Boolean), None, 0, None),
                ("wait", StatsType::Log2Histogram, Some(StatsUnit::Seconds), Some(10), -9, None),
                ("sizes", StatsType::LinearHistogram, None, Some(2), 20, Some(64)),
                ("0123456789abcdef", StatsType::Peak, Some(StatsUnit::Bytes), None, 0, None),
            ]
        );
        let values: Vec<_> = reading.values(None).into_iter().map(|one| one.value).collect();
        assert_eq!(
            values,
            [
                StatsValue::Scalar(7),
                StatsValue::Boolean(true),
                StatsValue::List(vec![1, 2, 3]),
                StatsValue::List(vec![4, 5]),
                StatsValue::Scalar(u64::MAX),
            ]
        );
        let some = reading.values(Some(&["wait".into(), "nope".into()]));
        assert_eq!(some.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["wait"]);
        assert!(reading.values(Some(&[])).is_empty());
    }

    #[test]
    fn what_is_not_known_is_left_out_and_nonsense_refused() {
        let unknown = [(9, 0, &[1][..], 0, "type"), (0xf0, 0, &[1], 0, "unit")];
        assert_eq!(parsed(&file(&unknown)).unwrap(), Reading(Vec::new()));
        assert!(parsed(&[0; HEADER - 1]).is_err());
        let mut endless = file(&[]);
        endless[8..12].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(parsed(&endless).is_err());
        let whole = file(&[(0, 0, &[1], 0, "cut")]);
        assert!(parsed(&whole[..whole.len() - 1]).is_err());
    }
}
