//! Values of LOC records.

use serde_json::{Map, Value as Json, json};

/// A place: degrees, minutes and seconds twice, then metres.
struct Place {
    latitude: (u32, u32, f64, char),
    longitude: (u32, u32, f64, char),
    /// Altitude, size, horizontal and vertical precision.
    metres: [f64; 4],
}

fn wrong(value: &str, why: &str) -> String {
    format!(
        "`{value}` is no value of a record of type LOC: {why}; it is written `{}`",
        super::form("LOC")
    )
}

fn parse(value: &str) -> Result<Place, String> {
    let mut words = value.split_whitespace().peekable();
    let mut angle = |most: u32, directions: [&str; 2]| -> Result<(u32, u32, f64, char), String> {
        let mut numbers = Vec::new();
        loop {
            let word = words
                .next()
                .ok_or_else(|| wrong(value, "it is too short"))?;
            let upper = word.to_ascii_uppercase();
            if directions.contains(&upper.as_str()) {
                let number = |at: usize| numbers.get(at).copied().unwrap_or(0.0_f64);
                let whole = |at: usize, most: u32| {
                    let text = format!("{:.0}", number(at));
                    let whole = text.parse::<u32>().ok().filter(|whole| *whole <= most);
                    whole.ok_or_else(|| wrong(value, "degrees or minutes are out of range"))
                };
                let seconds = number(2);
                if numbers.is_empty() || numbers.len() > 3 || !(0.0..60.0).contains(&seconds) {
                    return Err(wrong(value, "an angle has one to three numbers"));
                }
                let direction = upper.chars().next().unwrap_or('N');
                return Ok((whole(0, most)?, whole(1, 59)?, seconds, direction));
            }
            let number = word.parse::<f64>().ok().filter(|number| number.is_finite());
            numbers.push(number.ok_or_else(|| wrong(value, "an angle is not a number"))?);
        }
    };
    let latitude = angle(90, ["N", "S"])?;
    let longitude = angle(180, ["E", "W"])?;
    let mut metres = [f64::NAN, 1.0, 10_000.0, 10.0];
    for metre in &mut metres {
        let Some(word) = words.next() else { break };
        let number = word.trim_end_matches(['m', 'M']).parse::<f64>().ok();
        let number = number.filter(|number| number.is_finite());
        *metre = number.ok_or_else(|| wrong(value, "a length is not a number of metres"))?;
    }
    if metres[0].is_nan() {
        return Err(wrong(value, "the altitude is missing"));
    }
    if words.next().is_some() {
        return Err(wrong(value, "it is too long"));
    }
    Ok(Place {
        latitude,
        longitude,
        metres,
    })
}

pub(super) fn canonical(value: &str) -> Result<String, String> {
    let place = parse(value)?;
    let angle = |(degrees, minutes, seconds, direction): (u32, u32, f64, char)| {
        format!("{degrees} {minutes} {seconds} {direction}")
    };
    let [altitude, size, horizontal, vertical] = place.metres;
    Ok(format!(
        "{} {} {altitude}m {size}m {horizontal}m {vertical}m",
        angle(place.latitude),
        angle(place.longitude),
    ))
}

/// The API's fields.
pub(super) fn data(value: &str) -> Result<Map<String, Json>, String> {
    let place = parse(value)?;
    let mut data = Map::new();
    for (axis, (degrees, minutes, seconds, direction)) in
        [("lat", place.latitude), ("long", place.longitude)]
    {
        data.insert(format!("{axis}_degrees"), json!(degrees));
        data.insert(format!("{axis}_minutes"), json!(minutes));
        data.insert(format!("{axis}_seconds"), json!(seconds));
        data.insert(format!("{axis}_direction"), json!(direction));
    }
    let names = ["altitude", "size", "precision_horz", "precision_vert"];
    for (name, metre) in names.into_iter().zip(place.metres) {
        data.insert(name.to_owned(), json!(metre));
    }
    Ok(data)
}

/// The text of the API's fields.
pub(super) fn shown(data: &Map<String, Json>) -> String {
    let number = |name: &str| data.get(name).and_then(Json::as_f64).unwrap_or(0.0);
    let angle = |axis: &str| {
        let direction = data
            .get(&format!("{axis}_direction"))
            .and_then(Json::as_str);
        format!(
            "{} {} {} {}",
            number(&format!("{axis}_degrees")),
            number(&format!("{axis}_minutes")),
            number(&format!("{axis}_seconds")),
            direction.unwrap_or_default(),
        )
    };
    format!(
        "{} {} {}m {}m {}m {}m",
        angle("lat"),
        angle("long"),
        number("altitude"),
        number("size"),
        number("precision_horz"),
        number("precision_vert"),
    )
}
