//! As many points as a picture can show, and no more.

use std::collections::BTreeSet;

use super::canvas::Point;

/// The most marks of one cloud; each is an element of the picture.
const MARKS: usize = 6000;

/// The points of a line in page pixels with, in each column of pixels, only the first, the
/// least, the greatest and the last kept: the drawn line does not change (Jugel et al. 2014,
/// "M4", the aggregation that is free of visible error).
pub(crate) fn line(points: &[Point]) -> Vec<Point> {
    let column = |point: &Point| point.0.floor();
    let mut kept: Vec<Point> = Vec::new();
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        kept.extend(four_of(group));
    }
    kept
}

fn four_of(group: &[Point]) -> Vec<Point> {
    if group.len() <= 4 {
        return group.to_vec();
    }
    let by_height = |a: &usize, b: &usize| group[*a].1.total_cmp(&group[*b].1);
    let least = (0..group.len()).min_by(by_height).unwrap_or(0);
    let greatest = (0..group.len()).max_by(by_height).unwrap_or(0);
    let mut indices = vec![0, least, greatest, group.len() - 1];
    indices.sort_unstable();
    indices.dedup();
    indices.into_iter().map(|index| group[index]).collect()
}

/// The points of a cloud in page pixels with one kept for each pixel, in the order given; where
/// that is too many, for each square of two pixels, of three, and so on.
pub(crate) fn cloud(points: &[Point]) -> Vec<Point> {
    let mut side = 1.0;
    loop {
        let kept = one_for_each_square(points, side);
        if kept.len() <= MARKS {
            return kept;
        }
        side += 1.0;
    }
}

fn one_for_each_square(points: &[Point], side: f64) -> Vec<Point> {
    let square = |value: f64| (value / side).round() as i64;
    let mut taken = BTreeSet::new();
    points
        .iter()
        .copied()
        .filter(|point| taken.insert((square(point.0), square(point.1))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dense_line_keeps_its_extremes_and_its_ends() {
        // 1,000 points in one column, with one spike up and one down, must leave these four.
        let mut points: Vec<Point> = (0..1000).map(|i| (f64::from(i) / 1001.0, 5.0)).collect();
        points[300].1 = 9.0;
        points[700].1 = 1.0;
        let expected = [points[0], points[300], points[700], points[999]];
        assert_eq!(line(&points), expected);
    }

    #[test]
    fn a_sparse_line_keeps_every_point() {
        // Fewer points than pixels: thinning would bend the line.
        let points: Vec<Point> = (0..50)
            .map(|i| (f64::from(i) * 3.0, f64::from(i % 7)))
            .collect();
        assert_eq!(line(&points), points);
    }

    #[test]
    fn a_cloud_keeps_one_point_a_pixel() {
        // Two points within a pixel are one dot on the page, a third elsewhere is another.
        assert_eq!(
            cloud(&[(1.0, 1.0), (1.2, 0.9), (4.0, 1.0)]),
            [(1.0, 1.0), (4.0, 1.0)]
        );
    }

    #[test]
    fn a_dense_cloud_keeps_its_outline_within_bounds() {
        // A million pixels would be a hundred megabytes of picture; all four corners must stay
        // occupied, since outliers are what a reader looks for.
        let points: Vec<Point> = (0..1_000_000)
            .map(|i| (f64::from(i % 1000), f64::from(i / 1000)))
            .collect();
        let kept = cloud(&points);
        assert!(
            kept.len() <= MARKS && kept.len() > MARKS / 2,
            "{}",
            kept.len()
        );
        for corner in [(0.0, 0.0), (999.0, 0.0), (0.0, 999.0), (999.0, 999.0)] {
            let close = |point: &&Point| {
                (point.0 - corner.0).abs() < 20.0 && (point.1 - corner.1).abs() < 20.0
            };
            assert!(
                kept.iter().any(|point| close(&point)),
                "nothing near {corner:?}"
            );
        }
    }
}
