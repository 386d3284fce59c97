use std::sync::Arc;

use sordino_graph::{Setup, Stage};

use super::*;
use crate::model::End;
use crate::testing::{NORMAL, lowered, player, push, simple, training};

/// `from -> to: label (kind)`, a line an edge.
fn edges(view: &View) -> Vec<String> {
    let name = |end| match end {
        End::Block(block) => view.blocks[block].id.clone(),
        End::Cluster(cluster) => format!("[{}]", view.clusters[cluster].scope),
    };
    let line = |e: &Edge| format!("{} -> {}: {} ({:?})", name(e.from), name(e.to), e.label, e.kind);
    view.edges.iter().map(line).collect()
}

fn ids(view: &View) -> Vec<&str> {
    view.boxes().map(|block| block.id.as_str()).collect()
}

fn portions(view: &View, id: &str) -> Vec<(usize, usize)> {
    let block = view.boxes().find(|block| block.id == id).unwrap();
    block.portions.iter().map(|portion| (portion.player, portion.nodes)).collect()
}

#[test]
fn the_overall_view_has_six_boxes_and_eight_edges() {
    let view = overall(&training(), None);
    let expected = [
        "parameters/",
        "private-input/",
        "private-input_1/",
        "private-input_2/",
        "secure_aggregation/",
        "output/",
    ];
    assert_eq!(ids(&view), expected);
    assert!(view.clusters.is_empty());
    let expected = [
        "parameters/ -> private-input/: 6 tensors (Plain)",
        "parameters/ -> private-input_1/: 6 tensors (Plain)",
        "parameters/ -> private-input_2/: 6 tensors (Plain)",
        "private-input/ -> secure_aggregation/: 6 tensors (Secret)",
        "private-input_1/ -> secure_aggregation/: 6 tensors (Secret)",
        "private-input_2/ -> secure_aggregation/: 6 tensors (Secret)",
        "secure_aggregation/ -> output/: 6 tensors (Reveal)",
        "output/ -> parameters/: 6 tensors (Update)",
    ];
    assert_eq!(edges(&view), expected);
    let revealing: Vec<_> = view.boxes().filter(|block| block.reveals).collect();
    assert_eq!(revealing.len(), 1);
    assert_eq!(revealing[0].label, "output");
}

#[test]
fn boxes_are_of_the_players_that_compute_them() {
    let program = training();
    let view = overall(&program, None);
    // Every node of the block is its owner's, the six shares among them.
    assert_eq!(portions(&view, "private-input_1/"), [(2, 25)]);
    assert_eq!(portions(&view, "output/"), [(0, 12)]);
    assert_eq!(portions(&view, "secure_aggregation/"), [(4, 12), (5, 12), (6, 12)]);
    let view = overall(&program, Some(&lowered([9, 0, 3])));
    assert_eq!(portions(&view, "secure_aggregation/"), [(4, 9), (6, 3)]);
    assert_eq!(portions(&view, "private-input/"), [(1, 25)]);
}

#[test]
fn a_data_owner_sees_its_block_opened() {
    let view = local(&training(), None, &player("train-data-owner-1"));
    let scopes: Vec<_> = view.clusters.iter().map(|cluster| cluster.scope.as_str()).collect();
    assert_eq!(scopes, ["private-input_1"]);
    let inside = view.boxes().filter(|block| block.cluster == Some(0));
    let labels: Vec<_> = inside.map(|block| block.label.as_str()).collect();
    let expected = [
        "data_loading",
        "gradient_computation",
        "encode",
        "encode_1",
        "encode_2",
        "encode_3",
        "encode_4",
        "encode_5",
        "share",
        "share_1",
        "share_2",
        "share_3",
        "share_4",
        "share_5",
    ];
    assert_eq!(labels, expected);
    assert_eq!(view.boxes().count(), expected.len() + 5);
    let edges = edges(&view);
    for expected in [
        "parameters/ -> private-input_1/gradient_computation/: 6 tensors (Plain)",
        "private-input_1/data_loading/ -> private-input_1/gradient_computation/: \
         2 tensors (Plain)",
        "private-input_1/gradient_computation/ -> private-input_1/encode: 784×128 (Plain)",
        "private-input_1/encode_5 -> private-input_1/share_5: 10 (Plain)",
        "private-input_1/share_2 -> private-input_1/>out0: 128×128 (Secret)",
        "private-input_1/>out0 -> secure_aggregation/: 6 tensors (Secret)",
        "output/ -> parameters/: 6 tensors (Update)",
    ] {
        assert!(edges.iter().any(|edge| edge == expected), "{expected}\n{edges:#?}");
    }
}

#[test]
fn the_model_owner_and_a_server_see_theirs() {
    let program = training();
    let view = local(&program, None, &player("model-owner"));
    let scopes: Vec<_> = view.clusters.iter().map(|cluster| cluster.scope.as_str()).collect();
    assert_eq!(scopes, ["parameters", "output"]);
    let edges = edges(&view);
    for expected in [
        "parameters/read_variable_1 -> parameters/>out0: 128 (Plain)",
        "parameters/>out0 -> private-input_2/: 6 tensors (Plain)",
        "secure_aggregation/ -> output/>in0: 6 tensors (Reveal)",
        "output/>in0 -> output/reveal: 784×128 (Reveal)",
        "output/reveal_5 -> output/descend_5: 10 (Plain)",
        "[output] -> [parameters]: 6 tensors (Update)",
    ] {
        assert!(edges.iter().any(|edge| edge == expected), "{expected}\n{edges:#?}");
    }
    let view = local(&program, Some(&lowered([2, 1, 1])), &player("server2"));
    assert_eq!(view.clusters.len(), 1);
    assert_eq!(view.boxes().filter(|block| block.cluster == Some(0)).count(), 12);
    assert_eq!(portions(&view, "secure_aggregation/scale_3"), [(4, 2), (5, 1), (6, 1)]);
    let edges = self::edges(&view);
    assert!(edges.contains(
        &"secure_aggregation/>in0 -> secure_aggregation/add_n: 3 tensors (Secret)".to_owned()
    ));
}

#[test]
fn nodes_without_a_scope_are_boxes() {
    let program = simple();
    for view in [overall(&program, None), local(&program, None, &player("server0"))] {
        let expected =
            ["random_normal", "share", "random_normal_1", "share_1", "add_n", "scale", "reveal"];
        assert_eq!(ids(&view), expected);
        let expected = [
            "random_normal -> share: 10 (Plain)",
            "share -> add_n: 10 (Secret)",
            "random_normal_1 -> share_1: 10 (Plain)",
            "share_1 -> add_n: 10 (Secret)",
            "add_n -> scale: 10 (Secret)",
            "scale -> reveal: 10 (Reveal)",
        ];
        assert_eq!(edges(&view), expected);
        assert_eq!(portions(&view, "share_1"), [(1, 1)]);
    }
}

#[test]
fn boxes_of_one_name_are_told_apart() {
    let setup = Setup::new([player("a")]);
    let mut graph = Graph::new("twins", Arc::new(setup), Stage::Recorded);
    for scope in ["random_normal", "", "x//y", "/x/y/", "/"] {
        push(&mut graph, &NORMAL, scope, "a");
    }
    let overall = overall(&graph, None);
    let ids = ids(&overall);
    assert_eq!(ids, ["random_normal/", "random_normal", "x/", "//random_normal"]);
    let labels: Vec<_> = overall.boxes().map(|block| block.label.as_str()).collect();
    assert_eq!(labels, ["random_normal", "random_normal", "x", "random_normal"]);
    let opened = local(&graph, None, &player("a"));
    assert_eq!(opened.clusters.len(), 2);
    assert_eq!(opened.boxes().filter(|block| block.cluster == Some(1)).count(), 1);
}

#[test]
fn a_graph_of_nothing_is_a_view_of_nothing() {
    let graph = Graph::new("", Arc::new(Setup::new([])), Stage::Recorded);
    let view = local(&graph, None, &player("stranger"));
    assert!(view.blocks.is_empty() && view.edges.is_empty());
    assert!(view.to_dot().starts_with("digraph"));
}
