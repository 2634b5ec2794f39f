//! Small arithmetic: finds an expression in a sentence and works it out.

/// The expression in `text` and its value, if there is one with at least one operator.
pub fn find(text: &str) -> Option<(String, Result<f64, &'static str>)> {
    let text = text
        .to_lowercase()
        .replace("multiplied by", "*")
        .replace("divided by", "/")
        .replace(" plus ", " + ")
        .replace(" minus ", " - ")
        .replace(" times ", " * ")
        .replace(" over ", " / ")
        .replace(['×', '·'], "*")
        .replace(['÷', ':'], "/")
        .replace('−', "-");
    let mut best = "";
    let mut start = None;
    for (i, c) in text.char_indices().chain([(text.len(), '\0')]) {
        let part = c.is_ascii_digit() || " .+-*/^()%".contains(c);
        match (part, start) {
            (true, None) => start = Some(i),
            (false, Some(from)) => {
                let run = text[from..i]
                    .trim()
                    .trim_end_matches(['.', ' ', '+', '-', '*', '/', '^']);
                if run.len() > best.len() {
                    best = run;
                }
                start = None;
            }
            _ => {}
        }
    }
    let digits = best.chars().filter(char::is_ascii_digit).count();
    let operator = best
        .trim_start_matches('-')
        .contains(['+', '-', '*', '/', '^', '%']);
    if digits < 2 || !operator || best.len() > 200 {
        return None;
    }
    let mut parser = Parser {
        rest: best.as_bytes(),
        depth: 0,
    };
    match parser.sum() {
        Ok(value) if parser.rest.is_empty() => Some((tidy(best), Ok(value))),
        Err(Stop::Impossible(why)) => Some((tidy(best), Err(why))),
        _ => None,
    }
}

fn tidy(expression: &str) -> String {
    let compact: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let mut spaced = String::new();
    let mut before = '(';
    for c in compact.chars() {
        let binary = "+-*/^%".contains(c) && (before.is_ascii_digit() || before == ')');
        if binary {
            spaced.push(' ');
        }
        spaced.push(match c {
            '*' => '×',
            '/' => '÷',
            '-' => '−',
            other => other,
        });
        if binary {
            spaced.push(' ');
        }
        before = c;
    }
    spaced
}

/// A number as a person writes it.
pub fn show(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "0" || text == "-0" || value.abs() >= 1e15 {
        format!("{value:e}")
    } else {
        text.to_owned()
    }
}

enum Stop {
    NotOne,
    Impossible(&'static str),
}

struct Parser<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn sum(&mut self) -> Result<f64, Stop> {
        let mut value = self.product()?;
        while let Some(op @ (b'+' | b'-')) = self.peek() {
            self.rest = &self.rest[1..];
            let right = self.product()?;
            value = if op == b'+' {
                value + right
            } else {
                value - right
            };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<f64, Stop> {
        let mut value = self.power()?;
        while let Some(op @ (b'*' | b'/' | b'%')) = self.peek() {
            self.rest = &self.rest[1..];
            let right = self.power()?;
            if op != b'*' && right == 0.0 {
                return Err(Stop::Impossible("division by zero has no result"));
            }
            value = match op {
                b'*' => value * right,
                b'/' => value / right,
                _ => value % right,
            };
        }
        Ok(value)
    }

    fn power(&mut self) -> Result<f64, Stop> {
        let base = self.atom()?;
        if self.peek() == Some(b'^') {
            self.rest = &self.rest[1..];
            let value = base.powf(self.power_of()?);
            return if value.is_finite() {
                Ok(value)
            } else {
                Err(Stop::Impossible("the result is too large for me"))
            };
        }
        Ok(base)
    }

    fn power_of(&mut self) -> Result<f64, Stop> {
        self.deeper(Self::power)
    }

    fn atom(&mut self) -> Result<f64, Stop> {
        match self.peek() {
            Some(b'(') => {
                self.rest = &self.rest[1..];
                let value = self.deeper(Self::sum)?;
                if self.peek() != Some(b')') {
                    return Err(Stop::NotOne);
                }
                self.rest = &self.rest[1..];
                Ok(value)
            }
            Some(b'-') => {
                self.rest = &self.rest[1..];
                Ok(-self.deeper(Self::atom)?)
            }
            Some(b'0'..=b'9' | b'.') => {
                let end = self
                    .rest
                    .iter()
                    .position(|b| !b.is_ascii_digit() && *b != b'.')
                    .unwrap_or(self.rest.len());
                let (number, rest) = self.rest.split_at(end);
                self.rest = rest;
                std::str::from_utf8(number)
                    .ok()
                    .and_then(|n| n.parse().ok())
                    .ok_or(Stop::NotOne)
            }
            _ => Err(Stop::NotOne),
        }
    }

    /// Bounds the nesting, since the text is a stranger's.
    fn deeper(&mut self, then: fn(&mut Self) -> Result<f64, Stop>) -> Result<f64, Stop> {
        if self.depth >= 30 {
            return Err(Stop::NotOne);
        }
        self.depth += 1;
        let result = then(self);
        self.depth -= 1;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<String> {
        find(text).map(|(_, v)| v.map(show).unwrap_or_else(str::to_owned))
    }

    #[test]
    fn sums_in_sentences_are_found_and_right() {
        for (text, result) in [
            ("What is 17 * 23?", "391"),
            ("what's 2+3*4", "14"),
            ("(2 + 3) × 4 please", "20"),
            ("compute 7 divided by 2.", "3.5"),
            ("2^10", "1024"),
            ("10 - -3", "13"),
            ("12 plus 30", "42"),
            ("1/0", "division by zero has no result"),
            ("17 % 5", "2"),
        ] {
            assert_eq!(value(text).as_deref(), Some(result), "{text}");
        }
        assert_eq!(find("17 * 23").unwrap().0, "17 × 23");
    }

    #[test]
    fn what_is_no_sum_is_left_alone() {
        for text in [
            "I am 42",
            "call 555-",
            "a-b",
            "3 (",
            "-5",
            "",
            &"(".repeat(100),
            "10 list items - please",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
