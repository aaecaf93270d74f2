//! Running commands: on this machine, over SSH, inside a container.
