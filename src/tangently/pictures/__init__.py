"""Pictures: computational graphs and figures. One model, several renderers."""
