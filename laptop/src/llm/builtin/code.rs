//! A shelf of small programs, and an honest skeleton for everything else.

struct Piece {
    words: &'static [&'static str],
    python: &'static str,
    rust: &'static str,
    javascript: &'static str,
}

const SHELF: [Piece; 6] = [
    Piece {
        words: &["hello"],
        python: "print(\"Hello, world!\")",
        rust: "fn main() {\n    println!(\"Hello, world!\");\n}",
        javascript: "console.log(\"Hello, world!\");",
    },
    Piece {
        words: &["fizzbuzz", "fizz"],
        python: "for n in range(1, 101):\n    print(\"Fizz\" * (n % 3 == 0) + \"Buzz\" * (n % 5 == 0) or n)",
        rust: "fn main() {\n    for n in 1..=100 {\n        match (n % 3, n % 5) {\n            (0, 0) => println!(\"FizzBuzz\"),\n            (0, _) => println!(\"Fizz\"),\n            (_, 0) => println!(\"Buzz\"),\n            _ => println!(\"{n}\"),\n        }\n    }\n}",
        javascript: "for (let n = 1; n <= 100; n++) {\n  console.log((n % 3 ? \"\" : \"Fizz\") + (n % 5 ? \"\" : \"Buzz\") || n);\n}",
    },
    Piece {
        words: &["fibonacci"],
        python: "def fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n\nprint([fibonacci(n) for n in range(10)])",
        rust: "fn fibonacci(n: u32) -> u64 {\n    let (mut a, mut b) = (0, 1);\n    for _ in 0..n {\n        (a, b) = (b, a + b);\n    }\n    a\n}\n\nfn main() {\n    println!(\"{:?}\", (0..10).map(fibonacci).collect::<Vec<_>>());\n}",
        javascript: "function fibonacci(n) {\n  let [a, b] = [0, 1];\n  for (let i = 0; i < n; i++) [a, b] = [b, a + b];\n  return a;\n}\n\nconsole.log([...Array(10).keys()].map(fibonacci));",
    },
    Piece {
        words: &["factorial"],
        python: "def factorial(n):\n    result = 1\n    for k in range(2, n + 1):\n        result *= k\n    return result\n\nprint(factorial(10))",
        rust: "fn factorial(n: u64) -> u64 {\n    (1..=n).product()\n}\n\nfn main() {\n    println!(\"{}\", factorial(10));\n}",
        javascript: "function factorial(n) {\n  let result = 1;\n  for (let k = 2; k <= n; k++) result *= k;\n  return result;\n}\n\nconsole.log(factorial(10));",
    },
    Piece {
        words: &["reverse", "palindrome"],
        python: "def reverse(text):\n    return text[::-1]\n\ndef is_palindrome(text):\n    return text == reverse(text)\n\nprint(reverse(\"handheld\"), is_palindrome(\"level\"))",
        rust: "fn reverse(text: &str) -> String {\n    text.chars().rev().collect()\n}\n\nfn main() {\n    println!(\"{} {}\", reverse(\"handheld\"), \"level\" == reverse(\"level\"));\n}",
        javascript: "const reverse = (text) => [...text].reverse().join(\"\");\n\nconsole.log(reverse(\"handheld\"), \"level\" === reverse(\"level\"));",
    },
    Piece {
        words: &["prime"],
        python: "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))\n\nprint([n for n in range(50) if is_prime(n)])",
        rust: "fn is_prime(n: u32) -> bool {\n    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)\n}\n\nfn main() {\n    println!(\"{:?}\", (0..50).filter(|n| is_prime(*n)).collect::<Vec<_>>());\n}",
        javascript: "function isPrime(n) {\n  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;\n  return n > 1;\n}\n\nconsole.log([...Array(50).keys()].filter(isPrime));",
    },
];

/// A fenced program for `task`, in the language it names (Python if none).
pub fn write(task: &str) -> String {
    let lower = task.to_lowercase();
    let language = if lower.contains("rust") {
        "rust"
    } else if lower.contains("javascript") || lower.contains("node") {
        "javascript"
    } else {
        "python"
    };
    let found = SHELF
        .iter()
        .find(|piece| piece.words.iter().any(|word| lower.contains(word)));
    match found {
        Some(piece) => {
            let text = match language {
                "rust" => piece.rust,
                "javascript" => piece.javascript,
                _ => piece.python,
            };
            format!(
                "```{language}\n{text}\n```\n\nFrom the built-in partner's small shelf of programs."
            )
        }
        None => {
            let comment = if language == "python" { "#" } else { "//" };
            let task: String = task
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace('`', "'");
            let short: String = task.chars().take(120).collect();
            let names = "hello world, FizzBuzz, Fibonacci, factorial, reverse, primes";
            format!(
                "```{language}\n{comment} Task: {short}\n```\n\nThis is beyond the built-in partner, which has no language model. \
                 It knows: {names} (in Python, Rust and JavaScript). Connect a real model on the laptop for more."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_language_is_used_and_the_unknown_is_admitted() {
        assert!(write("fibonacci in Rust").starts_with("```rust\nfn fibonacci"));
        assert!(write("print hello world").starts_with("```python\nprint"));
        assert!(write("FizzBuzz, node please").starts_with("```javascript\nfor"));
        let unknown = write("an operating ``` system\nwith windows");
        assert!(unknown.contains("no language model"));
        assert_eq!(
            unknown.matches("```").count(),
            2,
            "the task must not break out of the fence"
        );
    }
}
