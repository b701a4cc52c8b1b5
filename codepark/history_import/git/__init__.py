"""Read git repositories of any form without the git program, in bounded memory."""
