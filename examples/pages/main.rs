//! The pages of `docs/` that are made by runs: elections beside the published ones, what each attack
//! does, and what each layer of the federation is for. Arguments pick some of them.
//!
//! ```text
//! cargo run --release --example pages
//! cargo run --release --example pages -- attacks layers
//! ```

/// What each attack does, beside the same without it.
mod attacks;
/// What each attack gets through, by layers.
mod layers;
/// Elections beside the published ones.
mod papers;

use std::io;
use std::path::Path;
use std::thread;

/// A page by name, and what writes it into the folder of the project.
type Page = (&'static str, fn(&Path) -> io::Result<()>);

const PAGES: [Page; 3] = [
    ("papers", papers::write),
    ("attacks", attacks::write),
    ("layers", layers::write),
];

/// What `work` gives for each of `items`, in their order, on as many threads as the machine has.
fn on_all_threads<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = |worker| (worker..items.len()).step_by(workers);
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let start = |worker| {
            let work = &work;
            scope.spawn(move || {
                let mine = share(worker).map(|at| (at, work(&items[at])));
                mine.collect::<Vec<_>>()
            })
        };
        let workers: Vec<_> = (0..workers).map(start).collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.flat_map(|mine| mine.expect("no run panics")).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn main() -> io::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|it| PAGES.iter().all(|page| page.0 != **it))
    {
        let names = PAGES.map(|(name, _)| name).join(", ");
        return Err(io::Error::other(format!(
            "no page {unknown}: there are {names}"
        )));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let asked = |name: &str| wanted.is_empty() || wanted.iter().any(|it| it == name);
    let pages = PAGES.into_iter().filter(|(name, _)| asked(name));
    for (name, write) in pages {
        eprintln!("docs/{name}.md");
        write(root)?;
    }
    Ok(())
}
