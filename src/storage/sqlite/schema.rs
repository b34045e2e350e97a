// @generated automatically by Diesel CLI.

diesel::table! {
    activity_log (seq) {
        seq -> BigInt,
        id -> Text,
        ts -> Text,
        category -> Text,
        action -> Text,
        severity -> Text,
        actor -> Text,
        entity_type -> Nullable<Text>,
        entity_id -> Nullable<Text>,
        entity_name -> Nullable<Text>,
        message -> Text,
        metadata -> Text,
        workspace_id -> Text,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    book (id) {
        id -> BigInt,
        last_seq -> BigInt,
        last_ts -> Text,
        epoch -> Text,
        rolled_seq -> BigInt,
    }
}

diesel::table! {
    erasure (id) {
        id -> BigInt,
        workspace_id -> Text,
        actor -> Text,
        upto_seq -> BigInt,
        done_seq -> BigInt,
    }
}

diesel::table! {
    rollup (workspace_id, grain, dimension, start, value) {
        workspace_id -> Text,
        grain -> BigInt,
        dimension -> BigInt,
        start -> BigInt,
        value -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    setting (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    workspace (workspace_id) {
        workspace_id -> Text,
        floor_seq -> BigInt,
        swept_seq -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    activity_log,
    book,
    erasure,
    rollup,
    setting,
    workspace,
);
