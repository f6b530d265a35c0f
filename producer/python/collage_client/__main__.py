"""python3 -m collage_client"""

import sys

from collage_client.command import main

sys.exit(main())
