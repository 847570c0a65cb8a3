flow_runtime::flow! {
    pub flow Lines {}
}

fn main() {}
