//! A flow may stand wherever an item may, with any visibility, beside others.

mod jobs {
    flow_runtime::flow! {
        pub(crate) flow First {
            source log { line: &str };
            sink lines { line: &str };
            log -> lines;
        }
    }
    flow_runtime::flow! {
        pub(super) flow Second {
            /// Read on.
            source log { line: &[u8] };
            sink lines { line: &[u8] };
            /// Nothing is left out.
            all = log;
            all -> lines;
        }
    }
}

fn main() {
    flow_runtime::flow! {
        flow Third {
            source log { line: Option<&str> };
            sink lines { line: &str };
            log -> Assert(NotNull) -> lines;
        }
    }
    let _ = (jobs::First::default(), jobs::Second::default(), Third::default());
    let _ = third::OwnedLinesRow { line: String::new() };
    let _ = jobs::second::LinesRow { line: b"a" };
}
