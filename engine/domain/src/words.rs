//! Words: enums that are shown, read, stored and sent as one word each.
//!
//! A type gives `as_str` and `parse`; the macro derives text and serde from them. Not numbers and not keys
//! (`keys`). Called by `credit`, `note` and `decision`.

/// Text of a type with `as_str` and `parse`: shown, read, stored and sent as that word.
macro_rules! words {
    ($($type:ty, $what:literal;)*) => {$(
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::parse(text).ok_or_else(|| format!(concat!("`{}` is not ", $what), text))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

pub(crate) use words;
