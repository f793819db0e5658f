//! Latencies between regions, inline or from a CSV file.

use fedsim_protocols::{Probability, SimDuration};

use super::latency::{RoundTrip, latency};
use crate::layer::quantity::{Chance, positive_duration};
use crate::layer::scalar::name;
use crate::layer::shape::{list, maybe};
use crate::layer::{Out, Reader, Section, Shape, Tagged, Type, World, at, choice};
use crate::spec::{Latency, RegionMatrix};
use crate::tree::{Node, Place, Value};

/// A matrix as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Draft {
    names: Vec<String>,
    cells: Cells,
    jitter: Option<Probability>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Cells {
    names: Vec<String>,
    rows: Vec<Vec<Latency>>,
    round_trips: bool,
}

/// `[network.regions]`.
pub(crate) struct Regions;

impl Regions {
    fn section() -> Section<Draft> {
        let cells = Tagged::new()
            .case(
                "latency",
                Matrix { round_trips: false },
                |cells| cells,
                |cells: &Cells| Some(cells.clone()),
                "One-way latencies: a row per sending region, in the order of `names`, each cell \
                 a duration or a distribution; or the name of a CSV file whose first line and \
                 first column hold the regions' names.",
            )
            .case(
                "rtt",
                Matrix { round_trips: true },
                |cells| cells,
                |_| None,
                "Instead: round trips; each direction gets half.",
            );
        Section::new("Latencies between regions, as measured.", Draft::default())
            .key(
                "names",
                list(name()),
                at!(names),
                "The regions; a CSV file brings its own.",
            )
            .part(choice("the latencies", cells, at!(Draft => cells), true))
            .key(
                "jitter",
                maybe(Chance),
                at!(jitter),
                "Cells that are durations become uniform between themselves and this share more.",
            )
    }
}

impl Shape<RegionMatrix> for Regions {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<RegionMatrix> {
        let before = reader.count();
        let draft = Self::section().read(node, reader)?;
        if reader.count() > before {
            return None;
        }
        let jitter = draft.jitter.unwrap_or(Probability::ZERO);
        let from_file = !draft.cells.names.is_empty();
        let regions = if from_file {
            draft.cells.names
        } else {
            draft.names
        };
        check_shape(&regions, &draft.cells.rows, node, reader);
        check_peers(&regions, node, reader);
        reader.world.has_matrix = true;
        let row = |row: Vec<Latency>| row.into_iter().map(|cell| spread(cell, jitter)).collect();
        Some(RegionMatrix {
            regions,
            latency: draft.cells.rows.into_iter().map(row).collect(),
        })
    }

    fn write(&self, value: &RegionMatrix, world: &World) -> Option<Out> {
        let draft = Draft {
            names: value.regions.clone(),
            cells: Cells {
                names: Vec::new(),
                rows: value.latency.clone(),
                round_trips: false,
            },
            jitter: None,
        };
        Self::section().write(&draft, world)
    }

    fn describe(&self) -> Type {
        Self::section().describe()
    }
}

fn check_shape(names: &[String], rows: &[Vec<Latency>], node: &Node, reader: &mut Reader<'_>) {
    let size = names.len();
    if size == 0 {
        reader.refuse(node.place, "no regions", "`names` lists them");
    }
    let square = rows.len() == size && rows.iter().all(|row| row.len() == size);
    if !square {
        let key = if node.get("rtt").is_some() {
            "rtt"
        } else {
            "latency"
        };
        let message = format!("the matrix is not {size} by {size}");
        reader.refuse(node.place_of(key), message, "a row and a column per region");
    }
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            let message = format!("the region `{name}` is listed twice");
            reader.refuse(node.place_of("names"), message, "each region once");
        }
    }
}

fn check_peers(names: &[String], node: &Node, reader: &mut Reader<'_>) {
    let used: Vec<String> = reader
        .world
        .regions()
        .iter()
        .map(|&name| name.into())
        .collect();
    for region in used {
        if !names.contains(&region) {
            let message = format!("peers live in `{region}`, which the matrix does not have");
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            reader.refuse_name(node.place_of("names"), message, (&region, &names));
        }
    }
}

fn spread(cell: Latency, jitter: Probability) -> Latency {
    if let Latency::Constant(low) = cell
        && !jitter.is_zero()
    {
        // Parts per million keep it exact in integers.
        let ppm = (jitter.as_f64() * 1e6 + 0.5) as u64;
        let high = low + low.scale(ppm, 1_000_000);
        return Latency::Uniform { low, high };
    }
    cell
}

struct Matrix {
    round_trips: bool,
}

struct Cell {
    round_trips: bool,
}

impl Shape<Latency> for Cell {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Latency> {
        let plain = matches!(node.value, Value::Text(_));
        match (plain, self.round_trips) {
            (false, false) => latency().read(node, reader),
            (false, true) => RoundTrip.read(node, reader),
            (true, false) => positive_duration()
                .read(node, reader)
                .map(Latency::Constant),
            (true, true) => {
                let whole = positive_duration().read(node, reader)?;
                Some(Latency::Constant(half(whole)))
            }
        }
    }

    fn write(&self, value: &Latency, world: &World) -> Option<Out> {
        if let Latency::Constant(always) = value {
            return positive_duration().write(always, world);
        }
        latency().write(value, world)
    }

    fn describe(&self) -> Type {
        let plain = Shape::<SimDuration>::describe(&positive_duration());
        Type::Either(vec![plain, latency().describe()])
    }
}

fn half(whole: SimDuration) -> SimDuration {
    (whole / 2).max(SimDuration::from_nanos(1))
}

impl Shape<Cells> for Matrix {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Cells> {
        if let Value::Text(path) = &node.value {
            let text = reader.file(path, node.place)?;
            return self.parse(&text, path, node.place, reader);
        }
        let cell = Cell {
            round_trips: self.round_trips,
        };
        Some(Cells {
            names: Vec::new(),
            rows: list(list(cell)).read(node, reader)?,
            round_trips: self.round_trips,
        })
    }

    fn write(&self, value: &Cells, world: &World) -> Option<Out> {
        let cell = Cell { round_trips: false };
        list(list(cell)).write(&value.rows, world)
    }

    fn describe(&self) -> Type {
        let cell = Cell {
            round_trips: self.round_trips,
        };
        let file = Type::Text {
            what: "CSV file",
            pattern: "",
        };
        Type::Either(vec![list(list(cell)).describe(), file])
    }
}

impl Matrix {
    fn parse(
        &self,
        text: &str,
        path: &str,
        place: Place,
        reader: &mut Reader<'_>,
    ) -> Option<Cells> {
        let mut lines = rows(text);
        let Some((_, header)) = lines.next() else {
            reader.refuse(
                place,
                format!("`{path}` is empty"),
                "a first line with region names",
            );
            return None;
        };
        let names: Vec<String> = header.into_iter().skip(1).map(str::to_owned).collect();
        let mut matrix = Vec::new();
        for (number, cells) in lines {
            let expected = names.get(matrix.len());
            if cells.first().copied() != expected.map(String::as_str) {
                let message = format!("`{path}` line {number}: the rows do not follow the columns");
                let wanted = expected.map_or("no further row", String::as_str);
                reader.refuse(place, message, format!("begins with {wanted}"));
                return None;
            }
            let mut row = Vec::new();
            for cell in &cells[1..] {
                let whole = duration_of(cell, path, number, place, reader)?;
                let one_way = if self.round_trips { half(whole) } else { whole };
                row.push(Latency::Constant(one_way));
            }
            matrix.push(row);
        }
        Some(Cells {
            names,
            rows: matrix,
            round_trips: self.round_trips,
        })
    }
}

/// The lines of a CSV file with their numbers; comments and empty lines are left out.
fn rows(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| (number, line.split(',').map(str::trim).collect()))
}

/// All durations of a file.
pub(crate) fn durations(
    text: &str,
    path: &str,
    place: Place,
    reader: &mut Reader<'_>,
) -> Option<Vec<SimDuration>> {
    let mut all = Vec::new();
    for (number, cells) in rows(text) {
        for cell in cells.into_iter().filter(|cell| !cell.is_empty()) {
            all.push(duration_of(cell, path, number, place, reader)?);
        }
    }
    Some(all)
}

/// A cell that holds a duration; plain numbers are milliseconds.
fn duration_of(
    cell: &str,
    path: &str,
    line: usize,
    place: Place,
    reader: &mut Reader<'_>,
) -> Option<SimDuration> {
    let plain = cell.chars().all(|c| c.is_ascii_digit() || c == '.');
    let text = if plain {
        format!("{cell}ms")
    } else {
        cell.to_owned()
    };
    match positive_duration().value_of(&text) {
        Ok(span) => Some(span),
        Err(why) => {
            let message = format!("`{path}` line {line}: {why}");
            reader.refuse(place, message, "durations, or plain milliseconds");
            None
        }
    }
}

/// Cells of a file in which each line names two things.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    rows(text)
}
