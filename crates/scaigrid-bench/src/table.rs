//! Tables on the terminal.

/// Columns of equal width, the first to the left, the others to the right.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n{}", render(title, head, rows));
}

fn render(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths.get(column).copied().unwrap_or(0);
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        let cells: Vec<String> = cells.iter().enumerate().map(cell).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let lines: Vec<String> = lines.into_iter().map(line).collect();
    format!("== {title}\n{}", lines.join("\n"))
}

/// A number with three digits that tell.
pub fn number(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "-".to_owned(),
        size if size >= 99.5 => format!("{value:.0}"),
        size if size >= 9.95 => format!("{value:.1}"),
        size if size >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["ours".to_owned(), "1.07".to_owned()], vec!["日本".to_owned(), "12.5".to_owned()]];
        assert_eq!(render("t", &["side", "rate"], &rows), "== t\nside  rate\nours  1.07\n日本    12.5");
    }

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [12345.6, 99.9, 12.34, 1.234, 0.1234, 0.01234, f64::NAN].map(number);
        assert_eq!(numbers, ["12346", "100", "12.3", "1.23", "0.12", "0.012", "-"]);
    }
}
