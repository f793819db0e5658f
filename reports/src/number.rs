//! Numbers as people read them.

/// A tick label: plain below ten thousand, with `k`, `M`, `G` above, as many decimals as the
/// distance between ticks needs.
pub(crate) fn tick_label(value: f64, step: f64) -> String {
    let (divisor, suffix) = match value.abs().max(step) {
        size if size >= 1e9 => (1e9, "G"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = decimals_of(step / divisor);
    let text = format!("{:.decimals$}", value / divisor);
    match text
        .trim_start_matches('-')
        .chars()
        .all(|c| c == '0' || c == '.')
    {
        true => "0".to_owned(),
        false => trim_zeros(&text) + suffix,
    }
}

/// Decimals that tell two multiples of `step` apart, at most nine.
fn decimals_of(step: f64) -> usize {
    (0..9)
        .find(|decimals| {
            let scaled = step * 10_f64.powi(*decimals);
            scaled >= 1.0 - 1e-9 && (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .unwrap_or(9) as usize
}

/// A measured value with four significant digits, thousands grouped: `12 345`, `0.03333`.
pub(crate) fn measured(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 {
            "0".to_owned()
        } else {
            value.to_string()
        };
    }
    let magnitude = libm::log10(value.abs()).floor() as i32;
    if magnitude < -6 {
        return format!("{value:.3e}");
    }
    let decimals = (3 - magnitude).max(0) as usize;
    let text = trim_zeros(&format!("{value:.decimals$}"));
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |parts| parts);
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(digits))
}

/// A count with its thousands grouped: `1 234 567`.
pub(crate) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// `part` of `whole` in percent, with one decimal; a dash if there is no whole.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        _ => format!("{:.1} %", part as f64 * 100.0 / whole as f64),
    }
}

/// A count of bytes in the unit that fits: `1.50 MiB`.
pub(crate) fn bytes(value: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = value as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{value} B"),
        _ => format!("{size:.2} {}", units[unit]),
    }
}

/// Without trailing zeros after the point.
pub(crate) fn trim_zeros(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_labels_are_as_short_as_the_step_allows() {
        // Two neighbouring ticks must never read the same, and no label may carry noise digits.
        assert_eq!(tick_label(0.30000000000000004, 0.1), "0.3");
        assert_eq!(tick_label(2.5, 2.5), "2.5");
        assert_eq!(tick_label(20_000.0, 5_000.0), "20k");
        assert_eq!(tick_label(1_500_000.0, 500_000.0), "1.5M");
        assert_eq!(tick_label(-0.0, 1.0), "0");
    }

    #[test]
    fn measured_values_keep_four_digits() {
        // Small and large values alike; grouping is by three from the right.
        assert_eq!(measured(1.0 / 3.0), "0.3333");
        assert_eq!(measured(1_234_567.8), "1\u{a0}234\u{a0}568");
        assert_eq!(measured(-12.5), "-12.5");
        assert_eq!(measured(0.0), "0");
        assert_eq!(measured(1e-9), "1.000e-9");
        assert_eq!(count(1234), "1234");
        assert_eq!(count(12_345), "12\u{a0}345");
    }

    #[test]
    fn sizes_and_shares_read_as_people_say_them() {
        // The unit changes at 1024, and nothing of nothing is not zero percent.
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1_572_864), "1.50 MiB");
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(0, 0), "–");
    }
}
