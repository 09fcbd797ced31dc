"""HTTP as sources and sinks both speak it: every path is made of safe parts, every answer has bounds."""
