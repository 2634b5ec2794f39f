//! `multipart/form-data` bodies.

/// A body being put together.
#[derive(Clone, Debug)]
pub struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

impl Form {
    /// An empty form with a boundary that no text or picture contains by chance.
    pub fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let (a, b) = (
            RandomState::new().hash_one(1u8),
            RandomState::new().hash_one(2u8),
        );
        Self {
            boundary: format!("officeos-{a:016x}{b:016x}"),
            body: Vec::new(),
        }
    }

    fn head(&mut self, name: &'static str, more: &str) {
        let head = format!(
            "--{}\r\ncontent-disposition: form-data; name=\"{name}\"{more}\r\n\r\n",
            self.boundary
        );
        self.body.extend_from_slice(head.as_bytes());
    }

    /// Adds a text field.
    #[must_use]
    pub fn text(mut self, name: &'static str, value: &str) -> Self {
        self.head(name, "");
        self.body.extend_from_slice(value.as_bytes());
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// Adds a PNG file.
    #[must_use]
    pub fn png(mut self, name: &'static str, bytes: &[u8]) -> Self {
        self.head(name, "; filename=\"image.png\"\r\ncontent-type: image/png");
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// The content type and the whole body.
    pub fn finish(mut self) -> (String, Vec<u8>) {
        self.body
            .extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (
            format!("multipart/form-data; boundary={}", self.boundary),
            self.body,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_as_the_standard_says() {
        let form = Form::new();
        let boundary = form.boundary.clone();
        let (kind, body) = form.text("prompt", "a cat").png("image", &[1, 2]).finish();
        assert_eq!(kind, format!("multipart/form-data; boundary={boundary}"));
        let expected = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\na cat\r\n--{boundary}\r\n\
             content-disposition: form-data; name=\"image\"; filename=\"image.png\"\r\ncontent-type: image/png\r\n\r\n\u{1}\u{2}\r\n\
             --{boundary}--\r\n"
        );
        assert_eq!(body, expected.as_bytes());
    }
}
