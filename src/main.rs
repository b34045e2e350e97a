//! Parse the arguments, run, exit code.

fn main() -> std::process::ExitCode {
    daybook::cli::main()
}
