//! The metrics for who does not read OpenMetrics: the text format of Prometheus that was before it. The library writes
//! OpenMetrics alone, and the two differ in how a family is called, and in what has no name in the older one.

/// How the text is called over HTTP.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// OpenMetrics text as the older format says it; every sample stays as it is.
pub fn from_openmetrics(text: &str) -> String {
    let mut classic = String::with_capacity(text.len());
    // A family is described before its type is said, which changes its name.
    let mut help = None;
    for line in text.lines() {
        match words(line) {
            ["# HELP", family, described] => help = Some((family, described)),
            ["# TYPE", family, kind] => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    same => ("", same),
                };
                if let Some((_, described)) = help.take().filter(|(of, _)| *of == family) {
                    classic += &format!("# HELP {family}{suffix} {described}\n");
                }
                classic += &format!("# TYPE {family}{suffix} {kind}\n");
            }
            ["# UNIT" | "# EOF", ..] => {}
            _ => {
                classic += line;
                classic.push('\n');
            }
        }
    }
    classic
}

/// What a line that describes is about, its subject and the rest; a sample has none of them.
fn words(line: &str) -> [&str; 3] {
    let Some(said) = line.strip_prefix("# ") else {
        return [line, "", ""];
    };
    let mut words = said.splitn(3, ' ');
    let kind = words.next().map_or(0, str::len) + "# ".len();
    let subject = words.next().unwrap_or_default();
    [&line[..kind], subject, words.next().unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::from_openmetrics;

    #[test]
    fn families_have_the_names_of_their_samples_and_types_that_the_older_format_knows() {
        let openmetrics = "# HELP x_bytes How large.\n# TYPE x_bytes gauge\n# UNIT x_bytes bytes\nx_bytes 3\n\
            # HELP y How often.\n# TYPE y counter\ny_total{a=\"# TYPE z counter\"} 1\n\
            # HELP b Which.\n# TYPE b info\nb_info{version=\"1\"} 1\n\
            # TYPE u unknown\nu 1\n# EOF\n";
        assert_eq!(
            from_openmetrics(openmetrics),
            "# HELP x_bytes How large.\n# TYPE x_bytes gauge\nx_bytes 3\n\
             # HELP y_total How often.\n# TYPE y_total counter\ny_total{a=\"# TYPE z counter\"} 1\n\
             # HELP b_info Which.\n# TYPE b_info gauge\nb_info{version=\"1\"} 1\n\
             # TYPE u untyped\nu 1\n"
        );
    }
}
