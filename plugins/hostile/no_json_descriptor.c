/* Its descriptor is no JSON. */
#define DESCRIPTOR "I am a barrier"
#define DESCRIPTOR_LENGTH 14
#include "hostile.h"
