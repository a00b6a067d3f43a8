//! What kind of error a request ended with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of an error. `Display` says it in English, [`FailureClass::korean`] in Korean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// No connection could be made.
    Connect,
    /// The connection broke before the whole answer was there.
    Broken,
    /// No whole answer within the time allowed.
    TimedOut,
    /// What came is not the protocol.
    Malformed,
    /// A status other than 200; of gRPC, a code other than 0.
    Status(u16),
    /// Status 200 with an answer that is not the right one.
    WrongAnswer,
    /// Due within the window, and not sent before its end.
    Unsent,
}

impl FailureClass {
    /// Whether the server did answer, though not rightly.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Status(_) | Self::WrongAnswer)
    }

    /// The same in Korean.
    pub fn korean(self) -> String {
        match self {
            Self::Connect => "연결 안 됨".to_owned(),
            Self::Broken => "연결 끊김".to_owned(),
            Self::TimedOut => "제때 응답 없음".to_owned(),
            Self::Malformed => "잘못된 형식의 응답".to_owned(),
            Self::Status(status) => format!("상태 {status}"),
            Self::WrongAnswer => "틀린 응답".to_owned(),
            Self::Unsent => "보내지 못함".to_owned(),
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("no connection"),
            Self::Broken => f.write_str("connection broken"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Malformed => f.write_str("malformed answer"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::WrongAnswer => f.write_str("wrong answer"),
            Self::Unsent => f.write_str("not sent"),
        }
    }
}
