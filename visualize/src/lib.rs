//! Overall and local views of a graph as DOT, SVG and PNG.
