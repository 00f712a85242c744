//! The order of an object's members on the wire: a fixed hash of the key selects one of 512 buckets.

/// The number of buckets that members are sorted into.
const BUCKETS: u32 = 512;

/// The bucket of a key, 0 to 511. The arithmetic is 32 bits wide and wraps.
pub(crate) fn bucket(key: &str) -> u16 {
    // A key is never longer than a message (64 MiB); longer ones would only wrap.
    let start = 0x238F_13AFu32.wrapping_mul(key.len() as u32);
    let sum = key
        .bytes()
        .enumerate()
        .fold(start, |sum, (index, byte)| sum.wrapping_add(u32::from(byte) << (index * 5 % 24)));
    let mixed = sum.wrapping_mul(1_103_515_243).wrapping_add(12_345);
    (mixed % BUCKETS) as u16
}

#[cfg(test)]
mod tests {
    use crate::{Dict, Value};

    /// The keys of an object in wire order.
    fn wire(keys: &[&str]) -> Vec<String> {
        let dict: Dict = keys.iter().map(|key| (*key, Value::Null)).collect();
        dict.iter_wire().map(|(key, _)| key.to_owned()).collect()
    }

    #[test]
    fn members_come_in_the_observed_order() {
        assert_eq!(wire(&["id", "return"]), ["return", "id"]);
        assert_eq!(wire(&["error", "id"]), ["id", "error"]);
        assert_eq!(wire(&["event", "data", "timestamp"]), ["timestamp", "event", "data"]);
        assert_eq!(wire(&["major", "minor", "micro"]), ["micro", "minor", "major"]);
        assert_eq!(wire(&["capabilities", "version"]), ["version", "capabilities"]);
        assert_eq!(
            wire(&["type", "vcpus-count", "props", "qom-path"]),
            ["props", "vcpus-count", "qom-path", "type"]
        );
    }

    #[test]
    fn within_a_bucket_the_latest_comes_first() {
        // Found by trying short keys: both fall into the same bucket.
        let (mut first, mut second) = (None, None);
        'search: for a in 0..2000u32 {
            for b in 0..a {
                let (a, b) = (format!("k{a}"), format!("k{b}"));
                if super::bucket(&a) == super::bucket(&b) {
                    (first, second) = (Some(a), Some(b));
                    break 'search;
                }
            }
        }
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(wire(&[&first, &second]), [second.as_str(), first.as_str()]);
        assert_eq!(wire(&[&second, &first]), [first.as_str(), second.as_str()]);
    }
}
