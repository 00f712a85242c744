//! The value of `-cpu`: `MODEL[,+f][,-f][,f][,f=on|off][,key=value…]`.

use super::error::Error;
use super::host::HostCpu;
use super::model::CpuModel;
use super::property::Value;

/// Reads the value of `-cpu` (`help` and `?` are the caller's). Also answers warnings to print.
///
/// Settings are applied in their order, then every `+f`, then every `-f`: `-f` wins over `+f`, and
/// both win over `f=on|off`, wherever they stand.
///
/// # Errors
///
/// An empty text, an unknown model or property, or a value the property does not take.
pub fn parse_option(text: &str, host: &HostCpu) -> Result<(CpuModel, Vec<String>), Error> {
    let mut parts = text.split(',').filter(|part| !part.is_empty());
    let name = parts.next().ok_or(Error::Empty)?;
    let mut model = CpuModel::new(name, host)?;
    let mut warnings = Vec::new();
    let (mut plus, mut minus) = (Vec::new(), Vec::new());
    let mut settings = Vec::new();
    for part in parts {
        if let Some(feature) = part.strip_prefix('+') {
            plus.push(feature);
        } else if let Some(feature) = part.strip_prefix('-') {
            minus.push(feature);
        } else {
            let (key, value) = part.split_once('=').unwrap_or((part, "on"));
            let key = key.replace('_', "-");
            for (sign, list) in [('+', &plus), ('-', &minus)] {
                if list.contains(&key.as_str()) {
                    warnings.push(format!(
                        "Ambiguous CPU model string. Don't mix both \"{sign}{key}\" and \"{key}={value}\""
                    ));
                }
            }
            if key == "tsc-freq" {
                let hertz = metric(value).ok_or_else(|| Error::Frequency(value.to_owned()))?;
                settings.push(("tsc-frequency".to_owned(), hertz.to_string()));
            } else {
                settings.push((key, value.to_owned()));
            }
        }
    }
    if !warnings.is_empty() {
        let text =
            "Compatibility of ambiguous CPU model strings won't be kept on future QEMU versions";
        warnings.push(text.to_owned());
    }
    for (key, value) in settings {
        let what = || format!("{}.{key}={value}", model.type_name());
        let what = what();
        model.set_text(&key, &value).map_err(|e| Error::Global(what, Box::new(e)))?;
    }
    for (features, on) in [(plus, true), (minus, false)] {
        for feature in features {
            model.set(feature, &Value::Bool(on))?;
        }
    }
    Ok((model, warnings))
}

/// A number with an optional fraction and a decimal suffix (`2.5G`).
fn metric(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let power = match suffix {
        "" | "B" | "b" => 0,
        "K" | "k" => 3,
        "M" | "m" => 6,
        "G" | "g" => 9,
        "T" | "t" => 12,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') {
        return None;
    }
    let mut value = whole.parse::<i64>().ok()?;
    let mut digits = fraction.bytes();
    for _ in 0..power {
        let digit = digits.next().map_or(0, |b| i64::from(b - b'0'));
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::recorded::host;

    fn parse(text: &str) -> Result<CpuModel, String> {
        parse_option(text, &host()).map(|(model, _)| model).map_err(|e| e.to_string())
    }

    fn error(text: &str) -> String {
        parse(text).expect_err(text)
    }

    fn has(text: &str, feature: &str) -> bool {
        parse(text).unwrap().features(&host()).has(feature)
    }

    #[test]
    fn signs_win_over_settings_and_minus_over_plus() {
        assert!(has("qemu64,-sse,+sse4_1,sse4.2", "sse4.1"));
        assert!(has("qemu64,sse4.2", "sse4.2"));
        assert!(!has("qemu64,-sse2,sse2=on", "sse2"));
        assert!(has("qemu64,sse4.1=off,+sse4.1", "sse4.1"));
        assert!(has("qemu64,+sse4.1,sse4.1=off", "sse4.1"));
        assert!(!has("qemu64,-sse3,+pni", "sse3"));
        assert!(!has("qemu64,pni=on,sse3=off", "pni"));
    }

    #[test]
    fn mixing_is_warned_about() {
        let (_, warnings) = parse_option("qemu64,-sse2,+sse2,sse2=off", &host()).unwrap();
        assert_eq!(
            warnings,
            [
                r#"Ambiguous CPU model string. Don't mix both "+sse2" and "sse2=off""#,
                r#"Ambiguous CPU model string. Don't mix both "-sse2" and "sse2=off""#,
                "Compatibility of ambiguous CPU model strings won't be kept on future QEMU versions",
            ]
        );
        assert!(parse_option("qemu64,sse2=off,+sse2", &host()).unwrap().1.is_empty());
    }

    #[test]
    fn keys_are_set() {
        let model =
            parse("Haswell,family=0x10,model_id=a b,vendor=AuthenticAMD,level=3,tsc-freq=2.5G")
                .unwrap();
        assert_eq!(model.setting("family"), Some(&Value::Int(16)));
        assert_eq!(model.text("model-id"), "a b");
        assert_eq!(model.text("vendor"), "AuthenticAMD");
        assert_eq!(model.setting("tsc-frequency"), Some(&Value::Int(2_500_000_000)));
    }

    #[test]
    fn errors_are_qemus() {
        let global = "can't apply global qemu64-x86_64-cpu";
        for (text, expected) in [
            ("", "-cpu option cannot be empty".to_owned()),
            ("foo", "unable to find CPU model 'foo'".to_owned()),
            ("Qemu64", "unable to find CPU model 'Qemu64'".to_owned()),
            ("qemu64-x86_64-cpu", "unable to find CPU model 'qemu64-x86_64-cpu'".to_owned()),
            ("qemu64,+foo", "Property 'qemu64-x86_64-cpu.foo' not found".to_owned()),
            ("qemu64,+,", "Property 'qemu64-x86_64-cpu.' not found".to_owned()),
            ("qemu64,+level=3", "Property 'qemu64-x86_64-cpu.level=3' not found".to_owned()),
            ("qemu64,-family", "Invalid parameter type for 'family', expected: integer".to_owned()),
            ("qemu64,+vendor", "Invalid parameter type for 'vendor', expected: string".to_owned()),
            ("qemu64,foo", format!("{global}.foo=on: Property 'qemu64-x86_64-cpu.foo' not found")),
            (
                "qemu64,foo_bar=on",
                format!("{global}.foo-bar=on: Property 'qemu64-x86_64-cpu.foo-bar' not found"),
            ),
            ("qemu64,a=b=c", format!("{global}.a=b=c: Property 'qemu64-x86_64-cpu.a' not found")),
            (
                "qemu64,sse=maybe",
                format!("{global}.sse=maybe: Parameter 'sse' expects 'on' or 'off'"),
            ),
            (
                "qemu64,type=3",
                format!("{global}.type=3: Property 'qemu64-x86_64-cpu.type' is not writable"),
            ),
            (
                "qemu64,migratable=on",
                format!(
                    "{global}.migratable=on: Property 'qemu64-x86_64-cpu.migratable' not found"
                ),
            ),
            ("qemu64,tsc-freq=xx", "bad numerical value xx".to_owned()),
            ("qemu64,tsc-freq=-1", "bad numerical value -1".to_owned()),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_refused_by_name_and_its_default_is_not() {
        assert!(
            error("qemu64,hv-relaxed=on")
                .contains("'qemu64-x86_64-cpu.hv-relaxed' cannot be changed")
        );
        assert!(error("qemu64,apic-id=3").contains("apic-id"));
        assert!(parse("qemu64,hv-relaxed=off,migratable").is_err());
        assert!(parse("qemu64,hv-relaxed=off").is_ok());
        assert!(parse("host,migratable=off").is_ok());
    }

    #[test]
    fn frequencies() {
        assert_eq!(metric("2300000000"), Some(2_300_000_000));
        assert_eq!(metric("1.5k"), Some(1500));
        for wrong in ["", ".5", "1..2", "1Gx", "99999999999G", "G"] {
            assert_eq!(metric(wrong), None, "{wrong}");
        }
    }
}
